//! HY-08: the dependency goes by another name, and by a path of the user's own.
#![deny(warnings)]

/// A facade of the user's.
pub mod mine {
    pub use bt as tracing;
}

/// Found by its other name.
#[bt::traced(crate = bt)]
pub fn direct(n: u8) -> u8 {
    n
}

/// Found through the facade.
#[mine::tracing::traced("through {n}", crate = crate::mine::tracing, output = |n| n + 1)]
pub async fn through(n: u8) -> Result<u8, std::io::Error> {
    Ok(n)
}

#[test]
fn hy_08_a_renamed_dependency() {
    let traces = bt::testing::capture_blocking(|| {
        direct(1);
        let mut future = std::pin::pin!(through(2));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(Future::poll(future.as_mut(), &mut context).is_ready());
    });
    assert_eq!(traces.roots().iter().map(|span| span.name()).collect::<Vec<_>>(), ["direct", "through 2"]);
    assert_eq!(traces.find("through 2").output().unwrap().as_u64(), Some(3));
}
