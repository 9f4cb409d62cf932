//! The bank link over mutual TLS: who is trusted, who is not, and that no payment reaches a stranger.

use super::scenery::{pay, settings, transfer};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use zhida_adapters::providers::bank::{HttpBank, HttpBankSettings};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::<String>::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(parameters, key), certificate }
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (parameters.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn identity(&self) -> Option<Vec<u8>> {
        let (certificate, key) = self.issue("client.example");
        Some(format!("{}{}", certificate.pem(), key.serialize_pem()).into_bytes())
    }

    fn roots(&self) -> Option<Vec<u8>> {
        Some(self.certificate.pem().into_bytes())
    }
}

/// A bank under the name `name` that lets in whom `authority` knows. Its address, and how many bytes of requests it has seen.
async fn bank(authority: &Authority, name: &str) -> (String, Arc<AtomicUsize>) {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.der().clone()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let (certificate, key) = authority.issue(name);
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(acceptor.clone(), stream, Arc::clone(&count)));
        }
    });
    (url, seen)
}

/// Takes one request in (its first bytes are enough) and asks the client to come later.
async fn serve(acceptor: TlsAcceptor, stream: TcpStream, seen: Arc<AtomicUsize>) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let mut buffer = vec![0; 65536];
    seen.fetch_add(stream.read(&mut buffer).await.unwrap(), Ordering::SeqCst);
    stream.write_all(b"HTTP/1.1 429 Later\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
}

#[tokio::test]
async fn only_the_agreed_parties_speak_to_each_other() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (url, seen) = bank(&ours, "127.0.0.1").await;
    let (misnamed, misnamed_seen) = bank(&ours, "bank.example").await;
    for (case, url, ca_pem, identity_pem, outcome) in [
        ("both known", &url, ours.roots(), ours.identity(), "not taken in TooManyRequests"),
        ("a bank of another authority", &url, theirs.roots(), ours.identity(), "not taken in ConnectionRefused"),
        ("a bank of another name", &misnamed, ours.roots(), ours.identity(), "not taken in ConnectionRefused"),
        // The bank says no after our side of the handshake is done: the request was on its way.
        ("we without a certificate", &url, ours.roots(), None, "doubtful"),
        ("we with a stranger's", &url, ours.roots(), theirs.identity(), "doubtful"),
    ] {
        let before = seen.load(Ordering::SeqCst);
        let link = HttpBank::new(HttpBankSettings { ca_pem, identity_pem, ..settings(url) }).unwrap();
        assert_eq!(pay(&link, "M1", &[transfer("E1", 100)]).await, outcome, "{case}");
        let reached = seen.load(Ordering::SeqCst) > before;
        assert_eq!(reached, case == "both known", "{case}");
    }
    assert_eq!(misnamed_seen.load(Ordering::SeqCst), 0);
}
