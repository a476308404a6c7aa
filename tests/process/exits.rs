//! The ways in which a process ends, and the runtimes that may be there or not.

use std::time::Duration;

use braintrust::{Logger, start_span};
use braintrust_test_backend::Fault;

use crate::{Case, leaf, one_call, step};

const LIMIT: Duration = Duration::from_secs(60);
/// How long an exit may be held up, where the machine is not busy.
const EXIT_LIMIT: Duration = Duration::from_secs(5);

pub(crate) const CASES: &[Case] = &[
    Case::new("threads without a runtime", threads, |outcome| outcome.assert_spans(&["leaf"; 4])),
    Case::new("normal return without a flush", one_call, |outcome| outcome.assert_spans(&["leaf"])),
    Case::new("process exit", process_exit, |outcome| {
        assert_eq!(outcome.status.code(), Some(3), "{}", outcome.stderr);
        outcome.assert_arrived(&["leaf"]);
    }),
    Case::new("panic in main", panic_in_main, |outcome| {
        assert_eq!(outcome.status.code(), Some(101), "{}", outcome.stderr);
        outcome.assert_arrived(&["leaf"]);
    }),
    #[cfg(unix)]
    Case::new("a signal that the program handles", terminated, |outcome| outcome.assert_spans(&["leaf", "step"])),
    Case::new("runtime dropped before the flush", runtime_dropped, |outcome| outcome.assert_spans(&["step"])),
    Case::new("flush on another runtime", another_runtime, |outcome| outcome.assert_spans(&["step"])),
    Case::new("flush without any runtime", no_runtime, |outcome| outcome.assert_spans(&["leaf"])),
    Case::new("flush on a current-thread runtime", current_thread, |outcome| outcome.assert_spans(&["step"])),
    Case::new("blocking flush inside a runtime", blocking_inside, |outcome| outcome.assert_spans(&["step"])),
    Case::new("open span at exit", open_at_exit, |outcome| outcome.assert_spans(&["open"])),
    Case::new("span of a thread-local destructor", destructor, |outcome| {
        outcome.assert_spans(&["first", "last"]);
    }),
    Case::new("flush at exit switched off by a variable", one_call, |outcome| outcome.assert_spans(&[]))
        .with(&[("BRAINTRUST_DISABLE_ATEXIT_FLUSH", "1")]),
    Case::new("flush at exit switched off in code", switched_off, |outcome| outcome.assert_spans(&[])),
    // A program whose backend does not answer ends all the same, within the deadline, and says what was not delivered.
    Case {
        fault: Some(Fault::At(braintrust_test_backend::Endpoint::Any, braintrust_test_backend::Trouble::Hang)),
        ..Case::new("no answer at exit", tells_its_end, |outcome| {
            assert_eq!(outcome.status.code(), Some(0), "{}", outcome.stderr);
            assert!(outcome.stderr.contains("1 still queued"), "{}", outcome.stderr);
            // A busy machine may need long to start a process: what counts is the time from the end of `main`.
            assert_eq!(outcome.stdout, "returns\n");
            assert!(outcome.ended_after < 3 * EXIT_LIMIT, "held up for {:?}", outcome.ended_after);
        })
    },
    Case {
        fault: Some(Fault::Down),
        ..Case::new("no backend at exit", one_call, |outcome| {
            assert_eq!(outcome.status.code(), Some(0), "{}", outcome.stderr);
            assert!(outcome.stderr.contains("1 still queued"), "{}", outcome.stderr);
            assert!(outcome.stderr.contains("127.0.0.1"), "{}", outcome.stderr);
        })
    },
];

/// Says when it returns.
fn tells_its_end(_: &Logger) {
    leaf(1);
    println!("returns");
}

fn threads(_: &Logger) {
    let threads: Vec<_> = (0..4).map(|value| std::thread::spawn(move || leaf(value))).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

fn process_exit(_: &Logger) {
    leaf(1);
    std::process::exit(3);
}

fn panic_in_main(_: &Logger) {
    leaf(1);
    panic!("as meant");
}

/// What a service does: it works until it is told to end, and then returns.
#[cfg(unix)]
fn terminated(_: &Logger) {
    use nix::sys::signal::{Signal, kill};
    use tokio::signal::unix::{SignalKind, signal};

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        step(1).await;
        kill(nix::unistd::getpid(), Signal::SIGTERM).unwrap();
        terminate.recv().await;
        leaf(1);
    });
}

fn runtime_dropped(logger: &Logger) {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(step(1));
    drop(runtime);
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);
}

fn another_runtime(logger: &Logger) {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(step(1));
    drop(runtime);
    let another = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(another.block_on(logger.flush()).unwrap().delivered, 1);
}

fn no_runtime(logger: &Logger) {
    leaf(1);
    assert_eq!(futures::executor::block_on(logger.flush()).unwrap().delivered, 1);
}

fn current_thread(logger: &Logger) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let report = runtime.block_on(async {
        step(1).await;
        logger.flush().await
    });
    assert_eq!(report.unwrap().delivered, 1);
}

fn blocking_inside(logger: &Logger) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        step(1).await;
        assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);
    });
}

fn open_at_exit(_: &Logger) {
    std::mem::forget(start_span("open").start());
}

/// A value whose destructor runs when its thread is torn down.
struct Late;

impl Drop for Late {
    fn drop(&mut self) {
        start_span("last").start().end();
    }
}

fn destructor(_: &Logger) {
    thread_local!(static LATE: Late = const { Late });
    std::thread::spawn(|| {
        LATE.with(|_| ());
        // Destructors run in the order opposite to that of the first uses: by then this thread has lost its own log.
        start_span("first").start().end();
    })
    .join()
    .unwrap();
}

fn switched_off(_: &Logger) {
    // A logger of the same process that says so, with which nothing is recorded.
    let folder = tempfile::tempdir().unwrap();
    Logger::builder().project("other").local_folder(folder.path()).flush_at_exit(false).build().unwrap();
    leaf(1);
}
