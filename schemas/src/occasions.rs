//! Occasions: enums of the types of events that go out about one kind of thing, each with its sentence.

/// An enum of occasions, one row each: name, event type, sentence.
macro_rules! occasions {
    ($(#[$about:meta])* $enum:ident: $($name:ident = $type:literal: $doc:literal;)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $enum {
            $(
                #[doc = concat!("`", $type, "`: ", $doc)]
                $name,
            )*
        }

        impl $enum {
            /// Every occasion there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The type, which is also the routing key.
            #[must_use]
            pub fn event_type(self) -> &'static str {
                match self { $(Self::$name => $type,)* }
            }

            fn sentence(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }
        }
    };
}
pub(crate) use occasions;
