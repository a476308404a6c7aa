//! Certificates as servers show them, and the authority that signs them.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// Where the servers of tests are.
pub const HOST: &str = "127.0.0.1";

/// Who signs certificates, and is trusted or not.
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new([HOST.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // Two authorities have neither a key nor a name in common.
        params.distinguished_name.push(DnType::CommonName, format!("authority {:?}", key.public_key_raw()));
        Self { certificate: params.self_signed(&key).unwrap(), issuer: Issuer::new(params, key) }
    }

    /// Writes what a program needs to trust this authority.
    pub fn write(&self, file: &Path) {
        std::fs::write(file, self.certificate.pem()).unwrap();
    }

    /// What a server that listens at [`HOST`] needs.
    pub fn sign(&self) -> TlsAcceptor {
        self.sign_for(HOST)
    }

    pub fn sign_for(&self, name: &str) -> TlsAcceptor {
        self.acceptor(&CertificateParams::new([name.to_owned()]).unwrap())
    }

    /// A certificate whose time is over.
    pub fn sign_expired(&self) -> TlsAcceptor {
        self.sign_from_to(2010, 2020)
    }

    /// A certificate whose time is to come.
    pub fn sign_too_early(&self) -> TlsAcceptor {
        self.sign_from_to(3000, 3010)
    }

    fn sign_from_to(&self, from: i32, to: i32) -> TlsAcceptor {
        let mut params = CertificateParams::new([HOST.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 31);
        params.not_after = date_time_ymd(to, 1, 31);
        self.acceptor(&params)
    }

    /// The authority's own certificate, as if it were a server's.
    pub fn show_itself(&self) -> TlsAcceptor {
        acceptor(&self.certificate, self.issuer.key())
    }

    fn acceptor(&self, params: &CertificateParams) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        acceptor(&params.signed_by(&key, &self.issuer).unwrap(), &key)
    }
}

fn acceptor(certificate: &Certificate, key: &KeyPair) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
