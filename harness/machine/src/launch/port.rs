//! Ports for a gateway that must be told its port before it starts.
//!
//! A launch owns a block of four ports: the gateway listens on the first and on the third, the launcher holds the second
//! for as long as the launch lives, which keeps every other clawgauge of the machine out of the block. The blocks lie below the
//! range from which systems take ports for outgoing connections.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

const FIRST: u16 = 20_000;
const BLOCKS: u16 = 2_500;
const SIZE: u16 = 4;

/// A block of ports that nobody else uses.
#[derive(Debug)]
pub(super) struct Ports {
    base: u16,
    _lock: TcpListener,
}

impl Ports {
    /// Takes a free block.
    pub(super) fn take() -> std::io::Result<Self> {
        let listen = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let start = fastrand::u16(..BLOCKS);
        for step in 0..BLOCKS {
            let base = FIRST + (start + step) % BLOCKS * SIZE;
            // The second port is the lock; the others are only tried, and free again at once.
            if let Ok(lock) = listen(base + 1)
                && listen(base).is_ok()
                && listen(base + 2).is_ok()
            {
                return Ok(Self { base, _lock: lock });
            }
        }
        Err(std::io::Error::new(
            std::io::ErrorKind::AddrInUse,
            "no free block of ports",
        ))
    }

    /// The gateway's port.
    pub(super) fn port(&self) -> u16 {
        self.base
    }

    /// The gateway's address.
    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.base).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn blocks_do_not_overlap() {
        let taken: Vec<Ports> = (0..50).map(|_| Ports::take().unwrap()).collect();
        let blocks: BTreeSet<u16> = taken.iter().map(|ports| ports.port() / SIZE).collect();
        assert_eq!(blocks.len(), taken.len());
        assert!(
            taken
                .iter()
                .all(|ports| TcpListener::bind(ports.address()).is_ok()),
            "the gateway's own port is free"
        );
    }
}
