//! Who may call what: bearer tokens with scopes. A token is kept as its hash only.

use crate::problem::Problem;
use axum::http::{HeaderMap, StatusCode, header};
use zhida_config::tokens::{ApiToken, TokenHash};

pub use zhida_config::tokens::Scope;

/// The tokens of the settings.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    tokens: Vec<(TokenHash, Vec<Scope>)>,
}

impl Tokens {
    /// The named tokens, and the single one of a sandbox, which has every scope.
    #[must_use]
    pub fn new<'a>(named: impl IntoIterator<Item = &'a ApiToken>, single: Option<&str>) -> Self {
        let named = named.into_iter().map(|token| (token.hash, token.scopes.clone()));
        let single = single.map(|token| (TokenHash::of(token), Scope::ALL.to_vec()));
        Self { tokens: named.chain(single).collect() }
    }

    /// Lets a request with this scope pass.
    ///
    /// Hashes are compared, not tokens: the time of a comparison says nothing useful about a token.
    pub(crate) fn check(&self, headers: &HeaderMap, scope: Scope) -> Result<(), Problem> {
        let shown = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| TokenHash::of(token.trim()));
        let found = shown.and_then(|hash| self.tokens.iter().find(|(known, _)| *known == hash));
        match found {
            None if shown.is_some() => {
                let detail = "no token like this is in http.api_tokens of this process; compare it with the one that was handed out";
                Err(Problem::new(StatusCode::UNAUTHORIZED, "this token is not known", detail))
            }
            None => {
                let detail = "send `Authorization: Bearer <token>`; `zhida config token` makes one for http.api_tokens";
                Err(Problem::new(StatusCode::UNAUTHORIZED, "a token is needed", detail))
            }
            Some((_, scopes)) if !scopes.contains(&scope) => {
                let detail = format!("this token lacks the scope \"{}\"", scope.word());
                Err(Problem::new(StatusCode::FORBIDDEN, "not with this token", detail))
            }
            Some(_) => Ok(()),
        }
    }
}
