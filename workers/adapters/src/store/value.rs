//! Values on their way into and out of SQL, the same for both databases. Not a query builder: statements stand where they
//! are used.

use super::fault::Fault;
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};
use zhida_core::money::Fen;

/// One bound value. Lists become arrays in PostgreSQL and JSON arrays in SQLite.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Bool(bool),
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Blobs(Vec<Option<Vec<u8>>>),
    Bools(Vec<bool>),
}

/// Column names with their values: a row to be written.
pub(super) type Record = Vec<(&'static str, Value)>;

macro_rules! into_value {
    ($($from:ty => |$it:ident| $value:expr;)*) => {
        $(impl From<$from> for Value {
            fn from($it: $from) -> Self {
                $value
            }
        })*
    };
}

into_value! {
    i64 => |it| Value::Int(Some(it));
    Option<i64> => |it| Value::Int(it);
    u32 => |it| Value::Int(Some(i64::from(it)));
    u64 => |it| Value::Int(Some(i64::try_from(it).unwrap_or(i64::MAX)));
    Fen => |it| Value::Int(Some(it.0));
    Timestamp => |it| Value::Int(Some(it.as_microsecond()));
    Option<Timestamp> => |it| Value::Int(it.map(Timestamp::as_microsecond));
    &str => |it| Value::Text(Some(it.to_owned()));
    String => |it| Value::Text(Some(it));
    &String => |it| Value::Text(Some(it.clone()));
    Option<String> => |it| Value::Text(it);
    Option<&str> => |it| Value::Text(it.map(str::to_owned));
    Vec<u8> => |it| Value::Bytes(Some(it));
    bool => |it| Value::Bool(it);
    Vec<String> => |it| Value::Texts(it.into_iter().map(Some).collect());
    Vec<i64> => |it| Value::Ints(it.into_iter().map(Some).collect());
}

/// A row as read.
pub(super) enum Row {
    Postgres(PgRow),
    Sqlite(SqliteRow),
}

impl Row {
    /// A column by name.
    pub(super) fn get<T>(&self, column: &'static str) -> Result<T, Fault>
    where
        T: for<'r> Decode<'r, Postgres> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + Type<Sqlite>,
    {
        match self {
            Self::Postgres(row) => row.try_get(column),
            Self::Sqlite(row) => row.try_get(column),
        }
        .map_err(|error| Fault::corrupt(column, &error))
    }

    /// A time, stored in microseconds.
    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, Fault> {
        time(column, self.get(column)?)
    }

    /// A time that may be absent.
    pub(super) fn time_or_none(&self, column: &'static str) -> Result<Option<Timestamp>, Fault> {
        self.get::<Option<i64>>(column)?.map(|micros| time(column, micros)).transpose()
    }

    /// A count or an id that is never negative.
    pub(super) fn unsigned<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, Fault> {
        let number: i64 = self.get(column)?;
        T::try_from(number).map_err(|_| Fault::corrupt(column, &format!("{number} is out of range")))
    }

    /// JSON.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T, Fault> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|error| Fault::corrupt(column, &error))
    }

    /// JSON that may be absent.
    pub(super) fn json_or_none<T: serde::de::DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, Fault> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| Fault::corrupt(column, &error))).transpose()
    }
}

/// JSON text of something whose writing cannot fail (no maps with other keys than texts).
pub(super) fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

pub(super) fn time(place: &str, micros: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_microsecond(micros).map_err(|error| Fault::corrupt(place, &error))
}
