//! Programs whose backend is reached by https, as the real one is: rows arrive, and where no connection can be made that
//! is trusted, they wait on disk, the program goes on, and somebody is told what is wrong and what to do.

mod authority;
mod server;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use braintrust_test_backend::{Backend, Endpoint, Fault, Trouble, key_of};
use libtest_mimic::Trial;
use tempfile::TempDir;
use tokio::net::TcpSocket;

use self::authority::Authority;
use self::server::{Front, Proxy, Speech};
use crate::program::{Flushed, Program};

const TENANT: &str = "north";
const CALLS: u32 = 200;
/// How long a flush may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// How often the calls of a round may wait for something: far less often than for each request, or each call.
const FEW_WAITS: u64 = 20;

/// What whoever runs the tests may have set for programs of their own.
const SETTINGS: [&str; 10] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "REQUEST_METHOD",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

pub(crate) fn trials() -> Vec<Trial> {
    let trials: [(_, fn()); 17] = [
        ("rows arrive", rows_arrive),
        ("an unknown authority", unknown_authority),
        ("an unknown authority behind a proxy", unknown_authority_behind_proxy),
        ("a certificate that signs itself", self_signed),
        ("storage with an unknown authority", unknown_storage),
        ("a certificate for another name", another_name),
        ("an expired certificate", expired),
        ("a certificate of the future", too_early),
        ("no authorities: a missing file", || no_authorities(|scene| ("SSL_CERT_FILE", scene.path("missing.pem")))),
        ("no authorities: an empty file", || no_authorities(|scene| ("SSL_CERT_FILE", scene.empty_file()))),
        ("no authorities: an empty folder", || no_authorities(|scene| ("SSL_CERT_DIR", scene.empty_folder()))),
        ("no authorities are needed by http", no_authorities_needed),
        ("a server that speaks http", server_of_http),
        ("a program that speaks http", program_of_http),
        ("by a proxy", by_proxy),
        ("a proxy that wants a password", proxy_wants_password),
        ("a proxy that is not there", proxy_is_not_there),
    ];
    let trials = trials.into_iter().map(|(name, run)| {
        Trial::test(format!("https: {name}"), move || {
            run();
            Ok(())
        })
    });
    trials.collect()
}

/// A backend with a front, and the place where programs find whom they trust and leave what they could not deliver.
struct Scene {
    backend: Backend,
    authority: Authority,
    front: Front,
    url: String,
    folder: TempDir,
}

impl Scene {
    fn new(scheme: &str, speech: impl FnOnce(&Authority) -> Speech) -> Self {
        let (backend, authority) = (Backend::start(), Authority::new());
        let front = Front::start(&backend, speech(&authority));
        let url = format!("{scheme}://{}", front.authority());
        backend.announce(&url);
        let folder = tempfile::tempdir().unwrap();
        authority.write(&folder.path().join("trusted.pem"));
        Self { backend, authority, front, url, folder }
    }

    /// A server as it should be.
    fn sound() -> Self {
        Self::new("https", |authority| Speech::Tls(authority.sign()))
    }

    fn mend(&self) {
        self.front.speak(Speech::Tls(self.authority.sign()));
    }

    /// Has large rows go by way of storage.
    fn limit(&self) {
        self.backend.fail(Fault::At(Endpoint::Version, Trouble::Says(MOST_TOLD)));
        self.backend.fail(Fault::At(Endpoint::Rows, Trouble::TooLarge(MOST)));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn empty_file(&self) -> PathBuf {
        std::fs::write(self.path("empty.pem"), "").unwrap();
        self.path("empty.pem")
    }

    fn empty_folder(&self) -> PathBuf {
        std::fs::create_dir(self.path("empty")).unwrap();
        self.path("empty")
    }

    /// A program that trusts the authority.
    fn program(&self) -> Program {
        self.program_with(&[])
    }

    /// The same with other variables besides.
    fn program_with(&self, variables: &[(&str, &str)]) -> Program {
        let trusted = self.path("trusted.pem");
        let mut all = vec![("SSL_CERT_FILE", trusted.to_str().unwrap())];
        all.extend(variables);
        self.program_told(&all)
    }

    /// A program that is told by these variables alone what to trust.
    fn program_told(&self, variables: &[(&str, &str)]) -> Program {
        let mut command = Command::new(std::env::current_exe().unwrap());
        SETTINGS.iter().for_each(|name| {
            command.env_remove(name);
        });
        let spool = self.path("spool");
        let mut all = vec![
            ("BRAINTRUST_APP_URL", self.url.as_str()),
            ("BRAINTRUST_SPOOL_DIR", spool.to_str().unwrap()),
            // What fails is decided at once.
            ("BRAINTRUST_NUM_RETRIES", "0"),
        ];
        all.extend(variables);
        Program::start_by(command, &self.backend, &all)
    }

    /// Makes calls, which do not wait for whatever becomes of them.
    fn calls(&self, program: &mut Program, round: u32) {
        let latency = program.calls(TENANT, round * CALLS, CALLS);
        assert!(latency.waits <= FEW_WAITS, "{CALLS} calls have waited: {latency:?}");
    }

    fn flush(&self, program: &mut Program) -> Flushed {
        let flushed = program.flush(LIMIT);
        assert_eq!((flushed.lost, &flushed.error), (0, &None), "{flushed:?}");
        flushed
    }

    /// Flushes until so many calls have arrived: an attempt that began before something was mended may fail after it.
    fn recover(&self, program: &mut Program, calls: u32) {
        let has_all = || self.backend.tally(TENANT).ended == u64::from(calls);
        let deadline = Instant::now() + LIMIT;
        loop {
            let flushed = self.flush(program);
            if self.backend.wait_until(Duration::from_millis(50), has_all) {
                return;
            }
            assert!(Instant::now() < deadline, "{flushed:?}");
        }
    }

    /// Makes calls of which no row leaves.
    fn calls_in_vain(&self, program: &mut Program) {
        self.calls(program, 0);
        let flushed = self.flush(program);
        assert_eq!((flushed.delivered, flushed.spooled), (0, u64::from(CALLS)), "{flushed:?}");
        assert!(self.backend.requests().is_empty(), "{:?}", self.backend.requests());
    }

    /// A program whose rows arrive once something is mended, and which has said why they could not before.
    fn is_mended(&self, mut program: Program, mend: impl FnOnce(), told: &[&str]) {
        self.calls_in_vain(&mut program);
        mend();
        self.calls(&mut program, 1);
        self.recover(&mut program, 2 * CALLS);
        self.check_told(&program.end(), &self.url, told);
        self.check_arrived(2 * CALLS);
    }

    /// Asserts that one message is about the server at `address`, and says all this.
    fn check_told(&self, said: &str, address: &str, told: &[&str]) {
        let [line] = said.lines().filter(|line| line.contains(address)).collect::<Vec<_>>()[..] else {
            panic!("there is not one line about {address}: {said}");
        };
        for text in told {
            assert!(line.contains(text), "{text:?} is not said: {line}");
        }
        assert!(line.contains(self.folder.path().to_str().unwrap()), "it is not said where the rows are: {line}");
        assert!(!said.contains(&key_of(TENANT)), "the key is told: {said}");
    }

    /// Asserts that so many calls have arrived, each once, and every request at the front.
    fn check_arrived(&self, calls: u32) {
        let tally = self.backend.tally(TENANT);
        assert_eq!((tally.arrived, tally.ended, tally.repeated), (u64::from(calls), u64::from(calls), 0));
        assert_eq!(self.backend.violations(), [""; 0]);
        for request in self.backend.requests() {
            assert_eq!(request.headers["host"].to_str().unwrap(), self.front.authority(), "{request:?}");
        }
    }
}

/// The largest request, and what a row takes that is larger.
const MOST: usize = 20_000;
const MOST_TOLD: &str = r#"{"logs3_payload_max_bytes": 20000}"#;
const LARGE: usize = 50_000;

fn rows_arrive() {
    let scene = Scene::sound();
    scene.limit();
    let mut program = scene.program();
    scene.calls(&mut program, 0);
    program.large_calls(TENANT, CALLS, 1, LARGE);
    assert_eq!(scene.flush(&mut program).delivered, u64::from(CALLS) + 1);
    assert_eq!(program.end(), "");
    scene.check_arrived(CALLS + 1);
    let requests = scene.backend.requests();
    let begins = ["/api/apikey/login", "/api/project/register", "/version", "/logs3", "/logs3/overflow", "/upload/"];
    for begin in begins {
        assert!(requests.iter().any(|request| request.path.starts_with(begin)), "nothing at {begin}");
    }
}

fn unknown_authority() {
    let scene = Scene::new("https", |_| Speech::Tls(Authority::new().sign()));
    scene.is_mended(scene.program(), || scene.mend(), &["not trusted", "UnknownIssuer", "SSL_CERT_FILE"]);
}

fn unknown_authority_behind_proxy() {
    let (scene, proxy) = (Scene::new("https", |_| Speech::Tls(Authority::new().sign())), Proxy::start());
    let program = scene.program_with(&[("HTTPS_PROXY", &proxy.url()), ("NO_PROXY", "")]);
    scene.is_mended(program, || scene.mend(), &["not trusted", "UnknownIssuer", &proxy.url()]);
}

fn self_signed() {
    let scene = Scene::new("https", |_| Speech::Tls(Authority::new().show_itself()));
    scene.is_mended(scene.program(), || scene.mend(), &["not trusted", "signed by an authority"]);
}

/// Large rows are uploaded to a place that the deployment names, and that may be another host.
fn unknown_storage() {
    let scene = Scene::sound();
    let storage = Front::start(&scene.backend, Speech::Tls(Authority::new().sign()));
    scene.backend.announce_storage(&format!("https://{}", storage.authority()));
    scene.limit();
    let mut program = scene.program();
    program.large_calls(TENANT, CALLS, 1, LARGE);
    let flushed = scene.flush(&mut program);
    assert_eq!((flushed.delivered, flushed.spooled), (0, 1), "{flushed:?}");
    // Other rows go on.
    scene.calls(&mut program, 0);
    scene.recover(&mut program, CALLS);

    storage.speak(Speech::Tls(scene.authority.sign()));
    scene.recover(&mut program, CALLS + 1);
    scene.check_told(&program.end(), &storage.authority(), &["not trusted", "UnknownIssuer", "SSL_CERT_FILE"]);
    let tally = scene.backend.tally(TENANT);
    assert_eq!((tally.arrived, tally.repeated), (u64::from(CALLS) + 1, 0));
}

fn another_name() {
    let scene = Scene::new("https", |authority| Speech::Tls(authority.sign_for("elsewhere.test")));
    scene.is_mended(scene.program(), || scene.mend(), &["not valid for", "elsewhere.test", "BRAINTRUST_APP_URL"]);
}

fn expired() {
    let scene = Scene::new("https", |authority| Speech::Tls(authority.sign_expired()));
    scene.is_mended(scene.program(), || scene.mend(), &["not trusted", "expired 2020-01-31T00:00:00Z", "clock"]);
}

fn too_early() {
    let scene = Scene::new("https", |authority| Speech::Tls(authority.sign_too_early()));
    scene.is_mended(scene.program(), || scene.mend(), &["not trusted", "valid from 3000-01-31T00:00:00Z", "clock"]);
}

fn no_authorities(setting: fn(&Scene) -> (&'static str, PathBuf)) {
    let scene = Scene::sound();
    let (name, value) = setting(&scene);
    let value = value.to_str().unwrap();
    let mut program = scene.program_told(&[(name, value)]);
    scene.calls_in_vain(&mut program);
    scene.check_told(&program.end(), &scene.url, &["certificate", name, value]);

    // What a program trusts it has read once, so the next one delivers what this one left.
    let mut next = scene.program();
    scene.calls(&mut next, 1);
    scene.flush(&mut next);
    assert_eq!(next.end(), "");
    scene.check_arrived(2 * CALLS);
}

fn no_authorities_needed() {
    let scene = Scene::new("http", |_| Speech::Plain);
    let mut program = scene.program_with(&[("SSL_CERT_FILE", scene.empty_file().to_str().unwrap())]);
    scene.calls(&mut program, 0);
    scene.flush(&mut program);
    assert_eq!(program.end(), "");
    scene.check_arrived(CALLS);
}

fn server_of_http() {
    let scene = Scene::new("https", |_| Speech::Plain);
    scene.is_mended(scene.program(), || scene.mend(), &["TLS", "http://"]);
}

fn program_of_http() {
    let scene = Scene::new("http", |authority| Speech::Tls(authority.sign()));
    scene.is_mended(scene.program(), || scene.front.speak(Speech::Plain), &["https://"]);
}

fn by_proxy() {
    let (scene, proxy) = (Scene::sound(), Proxy::start());
    let with_password = proxy.url().replace("http://", "http://alice:hunter2@");
    let mut program = scene.program_with(&[("HTTPS_PROXY", &with_password), ("NO_PROXY", "")]);
    scene.calls(&mut program, 0);
    scene.flush(&mut program);
    assert_eq!(program.end(), "");
    scene.check_arrived(CALLS);
    // `alice:hunter2`, as proxies are told it.
    assert!(proxy.tunnels() > 0 && proxy.has_seen("Basic YWxpY2U6aHVudGVyMg=="));
    for secret in [&key_of(TENANT), "Bearer", TENANT] {
        assert!(!proxy.has_seen(secret), "the proxy has seen {secret:?}");
    }
}

fn proxy_wants_password() {
    let (scene, proxy) = (Scene::sound(), Proxy::start());
    proxy.refuse("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    let program = scene.program_with(&[("HTTPS_PROXY", &proxy.url()), ("NO_PROXY", "")]);
    scene.is_mended(program, || proxy.agree(), &["proxy", &proxy.url(), "authorization required", "HTTPS_PROXY"]);
}

fn proxy_is_not_there() {
    let scene = Scene::sound();
    // Bound and never listening: nobody else gets the port meanwhile.
    let reserved = TcpSocket::new_v4().unwrap();
    reserved.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let gone = format!("http://{}", reserved.local_addr().unwrap());
    let with_password = gone.replace("http://", "http://alice:hunter2@");
    let mut program = scene.program_with(&[("HTTPS_PROXY", &with_password), ("NO_PROXY", "")]);
    scene.calls_in_vain(&mut program);
    let said = program.end();
    scene.check_told(&said, &scene.url, &["proxy", &gone, "HTTPS_PROXY"]);
    assert!(!said.contains("hunter2"), "{said}");
}
