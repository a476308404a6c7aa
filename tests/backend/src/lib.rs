//! A stand-in for Braintrust on loopback, which fails as it is told to and judges what it is sent. For tests.
//!
//! It is a real HTTP server with a thread and a runtime of its own, so that the tested program needs neither. Faults are
//! switched on and off while it runs ([`Backend::fail`], [`Backend::heal`]). What it is sent it judges by the rules that
//! hold under every fault ([`Backend::violations`]), and it counts the calls that arrive ([`Backend::tally`]).

mod answers;
mod arrivals;
mod door;
mod faults;
mod under_way;
mod uploads;
mod wire;

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use tokio::sync::{oneshot, watch};

use self::answers::Answering;
use self::arrivals::Arrivals;
pub use self::arrivals::Tally;
use self::door::Door;
use self::faults::Plan;
pub use self::faults::{Endpoint, Fault, Trouble};
use self::under_way::UnderWay;

/// The key that belongs to a tenant: rows of its calls are to come with no other.
#[must_use]
pub fn key_of(tenant: &str) -> String {
    format!("sk-test-0123456789-{tenant}")
}

/// One request that the backend has received whole.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, without a query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// The running backend; it stops when this is dropped.
#[derive(Debug)]
pub struct Backend {
    address: SocketAddr,
    plan: watch::Sender<Plan>,
    shared: Arc<Shared>,
    _stop: oneshot::Sender<()>,
}

/// What the server's thread and the test both look at.
#[derive(Debug, Default)]
struct Shared {
    arrivals: Mutex<Arrivals>,
    under_way: Mutex<UnderWay>,
    /// Every request, if they are kept at all.
    requests: Option<Mutex<Vec<Request>>>,
    announced: Mutex<Announced>,
    /// How often there was something new to see.
    news: Mutex<u64>,
    told: Condvar,
}

/// The addresses that the backend names as its own, where they are others than the one it listens at.
#[derive(Clone, Debug, Default)]
struct Announced {
    data_plane: Option<String>,
    storage: Option<String>,
}

impl Shared {
    /// Wakes who waits for something to happen here.
    fn tell(&self) {
        *lock(&self.news) += 1;
        self.told.notify_all();
    }
}

impl Backend {
    /// A backend that keeps every request, for tests that look at them.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(Shared { requests: Some(Mutex::default()), ..Shared::default() })
    }

    /// A backend that only counts, for more rows than memory could hold.
    #[must_use]
    pub fn start_counting() -> Self {
        Self::start_with(Shared::default())
    }

    fn start_with(shared: Shared) -> Self {
        let shared = Arc::new(shared);
        let (plan, planned) = watch::channel(Plan::default());
        let (stop, stopped) = oneshot::channel();
        let (open, opened) = std::sync::mpsc::sync_channel(1);
        let known = Arc::clone(&shared);
        let server = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let door = Door::open(planned.clone()).expect("a free port on loopback");
                let address = door.address();
                open.send(address).expect("`start` waits for this");
                let router =
                    Router::new().fallback(Answering::answer).with_state(Answering::new(address, planned, known));
                tokio::select! {
                    served = axum::serve(door, router) => served.expect("serving does not end"),
                    _ = stopped => {}
                }
            });
        };
        std::thread::Builder::new().name("backend".to_owned()).spawn(server).expect("a thread");
        Self { address: opened.recv().expect("the server starts"), plan, shared, _stop: stop }
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens, for who stands in front of it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has it name `url`, where something in front of it listens, as the address of its data plane and of its storage.
    pub fn announce(&self, url: &str) {
        *lock(&self.shared.announced) = Announced { data_plane: Some(url.to_owned()), storage: Some(url.to_owned()) };
    }

    /// Has it name `url` as the address of its storage.
    pub fn announce_storage(&self, url: &str) {
        lock(&self.shared.announced).storage = Some(url.to_owned());
    }

    /// Switches a fault on, besides those that are on already.
    pub fn fail(&self, fault: Fault) {
        self.plan.send_modify(|plan| plan.add(fault));
    }

    /// Switches every fault off. Requests that hang go on as if nothing had been.
    pub fn heal(&self) {
        self.plan.send_modify(|plan| *plan = Plan::default());
    }

    /// Waits until `is_so`, which is asked again whenever a request has come or been answered; `false` if it is not so in
    /// time.
    pub fn wait_until(&self, limit: Duration, is_so: impl Fn() -> bool) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let known = *lock(&self.shared.news);
            if is_so() {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let waited = self.shared.told.wait_timeout_while(lock(&self.shared.news), left, |news| *news == known);
            if waited.unwrap_or_else(PoisonError::into_inner).1.timed_out() {
                return is_so();
            }
        }
    }

    /// Every request that was received whole, in the order of arrival. Of a backend that only counts: none.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.as_ref().map(|requests| lock(requests).clone()).unwrap_or_default()
    }

    /// What has arrived of the calls of `tenant`: in requests that were answered with success, and without a fault.
    #[must_use]
    pub fn tally(&self, tenant: &str) -> Tally {
        lock(&self.shared.arrivals).tally(tenant)
    }

    /// The first of these calls of `tenant` that have not arrived, or not with their end; at most ten.
    #[must_use]
    pub fn missing(&self, tenant: &str, made: Range<u32>) -> Vec<u32> {
        lock(&self.shared.arrivals).missing(tenant, made)
    }

    /// How many requests for rows have begun, whatever became of them.
    #[must_use]
    pub fn row_requests(&self) -> u64 {
        lock(&self.shared.arrivals).row_requests
    }

    /// What no fault excuses: rows without an id, of a foreign key, two of one span at once, a merge before its row.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        lock(&self.shared.arrivals).violations.clone()
    }
}

/// What these locks guard is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
