//! A connection that can be reset under both ends, and made to drip.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::faults::Plan;

/// How much of a request is read before a reset: its head, and the beginning of its body.
const BEFORE_RESET: usize = 600;

pub(crate) struct Wire {
    stream: TcpStream,
    plan: watch::Receiver<Plan>,
    /// Resolves when the backend goes down.
    down: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// How many bytes may still be read before the reset.
    readable: usize,
    is_reset: bool,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, plan: watch::Receiver<Plan>) -> Self {
        // A connection that waits for more to send would make healthy answers slow.
        let _ = stream.set_nodelay(true);
        let mut told = plan.clone();
        let down = Box::pin(async move {
            let _ = told.wait_for(|plan| plan.is_down).await;
        });
        Self { stream, plan, down, readable: BEFORE_RESET, is_reset: false, pause: None }
    }

    /// Resets the connection if it is time to.
    fn check(&mut self, task: &mut Context<'_>) -> io::Result<()> {
        if !self.is_reset && self.down.as_mut().poll(task).is_ready() {
            self.reset();
        }
        if self.is_reset { Err(ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }

    fn reset(&mut self) {
        self.is_reset = true;
        // The socket is closed once this is dropped; without lingering, that tells the other end at once.
        let _ = self.stream.set_zero_linger();
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(task)?;
        if !self.plan.borrow().resets {
            return Pin::new(&mut self.stream).poll_read(task, buffer);
        }
        if self.readable == 0 {
            self.reset();
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        let mut part = buffer.take(self.readable);
        ready!(Pin::new(&mut self.stream).poll_read(task, &mut part))?;
        let bytes = part.filled().to_vec();
        self.readable -= bytes.len();
        buffer.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(task)?;
        let Some(pause) = self.plan.borrow().drip else {
            return Pin::new(&mut self.stream).poll_write(task, bytes);
        };
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(task));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(task, &bytes[..bytes.len().min(1)]))?;
        self.pause = Some(Box::pin(sleep_until(Instant::now() + pause)));
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(task)?;
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_reset {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
