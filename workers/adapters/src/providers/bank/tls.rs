//! Who the bank is and who we are to it: roots and client identity from PEM, as the HTTP client wants them. One TLS stack:
//! rustls with ring.

use super::http::HttpBankError;
use reqwest::{Certificate, ClientBuilder, Identity, Url};

/// Certificates as PEM texts.
#[derive(Clone, Default)]
pub(super) struct Pem {
    /// Client certificate chain and private key, in one text.
    pub(super) identity: Option<Vec<u8>>,
    /// The only roots trusted; without them the roots of the operating system.
    pub(super) roots: Option<Vec<u8>>,
}

/// Sets up TLS for a client that speaks to `url`.
pub(super) fn set_up(mut client: ClientBuilder, url: &Url, pem: &Pem) -> Result<ClientBuilder, HttpBankError> {
    // Another part of the process may have installed it already; it is the only one compiled in.
    let _ = rustls::crypto::ring::default_provider().install_default();
    client = client.tls_backend_rustls();
    if let Some(identity) = &pem.identity {
        client = client.identity(Identity::from_pem(identity).map_err(HttpBankError::Identity)?);
    }
    if let Some(roots) = &pem.roots {
        let roots = Certificate::from_pem_bundle(roots).map_err(HttpBankError::Roots)?;
        if roots.is_empty() {
            return Err(HttpBankError::NoRoots);
        }
        client = client.tls_certs_only(roots);
    } else if url.scheme() == "http" {
        // Without TLS no roots are needed, and a machine without any (a bare container) must not be refused.
        client = client.tls_certs_only([]);
    }
    Ok(client)
}
