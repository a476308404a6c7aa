//! Where connections come in, unless the backend is down. The port stays reserved all the while.

use std::io;
use std::net::SocketAddr;

use axum::serve::Listener;
use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::faults::Plan;
use crate::wire::Wire;

pub(crate) struct Door {
    address: SocketAddr,
    /// Bound and never listening: it keeps others from the port while nobody listens.
    _reserved: Socket,
    listener: Option<TcpListener>,
    plan: watch::Receiver<Plan>,
}

impl Door {
    pub(crate) fn open(plan: watch::Receiver<Plan>) -> io::Result<Self> {
        let reserved = bound_to(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = reserved.local_addr()?.as_socket().expect("it was bound to an internet address");
        let listener = Some(listen_at(address)?);
        Ok(Self { address, _reserved: reserved, listener, plan })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    async fn wait_until_up(&mut self) {
        let _ = self.plan.wait_for(|plan| !plan.is_down).await;
    }
}

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            if self.plan.borrow_and_update().is_down {
                self.listener = None;
                self.wait_until_up().await;
            }
            let listener = self.listener.get_or_insert_with(|| listen_at(self.address).expect("the port is reserved"));
            tokio::select! {
                (stream, peer) = Listener::accept(listener) => return (Wire::new(stream, self.plan.clone()), peer),
                _ = self.plan.changed() => {}
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Sockets that are bound like this may share a port, and only those that listen are told of connections.
fn bound_to(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    // Windows has the one under the other's name.
    #[cfg(not(unix))]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = bound_to(address)?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}
