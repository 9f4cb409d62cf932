//! The bank link with client certificates: what `serve` is given in files reaches the bank, and what cannot be used is refused
//! in one sentence. What TLS itself guarantees is tried in `tests/providers`.

use crate::World;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

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
}

/// The sandbox's bank behind a door that opens only to whom the authority knows; the door's address.
async fn door_before(bank: String, authority: &Authority) -> String {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.der().clone()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let (certificate, key) = authority.issue("127.0.0.1");
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
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, bank) = (acceptor.clone(), bank.clone());
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(stream).await else { return };
                let mut bank = TcpStream::connect(bank.trim_start_matches("http://")).await.unwrap();
                // How a connection ends says nothing here.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut bank).await;
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payout_is_settled_at_a_bank_that_asks_for_our_certificate() {
    let mut world = World::closed("certificates").await;
    let authority = Authority::new();
    let (certificate, key) = authority.issue("zhida.example");
    let ca = world.file("ca.pem", &authority.certificate.pem());
    let certificate = world.file("client.pem", certificate.pem().trim_end());
    let key = world.file("client.key", &key.serialize_pem());
    world.set("BANK__URL", &door_before(world.bank.url(), &authority).await);
    world.set("BANK__CA_FILE", &ca);
    world.set("BANK__CLIENT_CERTIFICATE_FILE", &certificate);
    world.set("BANK__CLIENT_KEY_FILE", &key);
    world.open().await;
    world.hand_in(&world.approval("A-1", "200.50")).await;
    world.until("A-1", "settled").await;
    assert_eq!(world.credits(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_cannot_be_used_are_refused_in_one_sentence() {
    let mut world = World::closed("bad-certificates").await;
    let authority = Authority::new();
    let (certificate, key) = authority.issue("zhida.example");
    let certificate = world.file("client.pem", &certificate.pem());
    let key = world.file("client.key", &key.serialize_pem());
    let other_key = world.file("other.key", &authority.issue("zhida.example").1.serialize_pem());
    let nonsense = world.file("nonsense.pem", "nonsense");
    world.set("BANK__URL", "https://127.0.0.1:9/");
    world.run(&["migrate"]);
    let set = |name: &str, path: &str| format!("--set=bank.{name}={path}");
    for (flags, said) in [
        (
            vec![set("client_certificate_file", &certificate)],
            "bank.client_certificate_file is set and bank.client_key_file is not",
        ),
        (
            vec![set("client_certificate_file", &certificate), set("client_key_file", "missing.key")],
            "bank.client_key_file = missing.key cannot be read (No such file or directory",
        ),
        (
            vec![set("client_certificate_file", &nonsense), set("client_key_file", &key)],
            "bank.client_certificate_file and bank.client_key_file do not hold",
        ),
        (
            vec![set("client_certificate_file", &certificate), set("client_key_file", &other_key)],
            "do bank.client_certificate_file and bank.client_key_file belong together?",
        ),
        (vec![set("ca_file", "missing.pem")], "bank.ca_file = missing.pem cannot be read"),
        (vec![set("ca_file", &nonsense)], "bank.ca_file holds no certificate"),
    ] {
        for verb in [vec!["serve"], vec!["config", "check"]] {
            let arguments: Vec<&str> = verb.iter().copied().chain(flags.iter().map(String::as_str)).collect();
            let refused = world.try_run(&arguments);
            let words = String::from_utf8_lossy(&refused.stderr);
            assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {words}");
            assert!(
                words.contains(said) && words.lines().filter(|line| line.contains("bank.")).count() == 1,
                "{words}"
            );
        }
    }
}
