//! What browsers may do with our pages: show them, with their own style, and nothing else.

use axum::http::{HeaderName, header};
use data_encoding::BASE64;
use ring::digest::{SHA256, digest};

/// Where the forms of a page may send to.
#[derive(Clone, Copy)]
pub(crate) enum Forms {
    /// It has none.
    None,
    /// Back to where it came from.
    Own,
}

/// The policy of a page with this style.
pub(crate) fn policy(style: &str, forms: Forms) -> String {
    let style = BASE64.encode(digest(&SHA256, style.as_bytes()).as_ref());
    let forms = match forms {
        Forms::None => "'none'",
        Forms::Own => "'self'",
    };
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
    )
}

/// The headers that go with it.
pub(crate) fn guards(policy: &'static str) -> [(HeaderName, &'static str); 4] {
    [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ]
}
