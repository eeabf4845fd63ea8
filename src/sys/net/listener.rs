//! Whose a port of the loopback interface is. Any account may listen on a port that is free: one that another took while
//! its user's program was down must not get what is meant for that user.

use nix::unistd::Uid;
use rustix::io::Errno;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// The family and type numbers of `sock_diag(7)`, which the kernel promises to keep.
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const REQUEST_DUMP: u16 = 0x301;
const DONE: u16 = 3;
const TCP: u8 = 6;
const LISTENS: u32 = 10;
/// The length of a message's head, and of what a listing has for a socket.
const HEAD: usize = 16;
const SOCKET: usize = 72;

/// A listening socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Listener {
    address: IpAddr,
    uid: u32,
}

/// The account whose socket gets connections to 127.0.0.1:`port`; `None` if nothing listens there. For a socket that
/// systemd made that is root.
///
/// # Errors
/// If the kernel does not say, or sockets of two accounts would have to share the port.
pub fn owner(port: u16) -> io::Result<Option<Uid>> {
    let listeners = match ask_kernel(port) {
        Ok(listeners) => listeners,
        // Where sock_diag is not to be had: a kernel without it, or a service that may not use netlink.
        Err(_) => read_tables(port)?,
    };
    choose(&listeners).map(|uid| uid.map(Uid::from_raw))
}

/// The kernel prefers the listener with the most specific address.
fn choose(listeners: &[Listener]) -> io::Result<Option<u32>> {
    let rank = |address: IpAddr| match address {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Some(0),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Some(1),
        IpAddr::V6(address) if address.to_ipv4_mapped() == Some(Ipv4Addr::LOCALHOST) => Some(0),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some(2),
        _ => None,
    };
    let ranked = |listener: &&Listener| rank(listener.address).is_some();
    let Some(best) = listeners.iter().filter(ranked).min_by_key(|one| rank(one.address)) else {
        return Ok(None);
    };
    let others = listeners.iter().filter(|one| rank(one.address) == rank(best.address));
    if others.clone().any(|one| one.uid != best.uid) {
        return Err(io::Error::other("sockets of several accounts listen on the port"));
    }
    Ok(Some(best.uid))
}

/// Asks by `sock_diag(7)`, for the listening sockets of the port alone.
fn ask_kernel(port: u16) -> io::Result<Vec<Listener>> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(SOCK_DIAG),
    )?;
    // It answers at once; a limit all the same.
    rustix::net::sockopt::set_socket_timeout(
        &socket,
        rustix::net::sockopt::Timeout::Recv,
        Some(Duration::from_secs(2)),
    )?;
    let mut listeners = Vec::new();
    for family in [AF_INET, AF_INET6] {
        let request = request(family, port);
        let kernel = SocketAddrNetlink::new(0, 0);
        rustix::net::sendto(&socket, &request, SendFlags::empty(), &kernel)?;
        receive(&socket, port, &mut listeners)?;
    }
    Ok(listeners)
}

fn request(family: u8, port: u16) -> [u8; HEAD + 56] {
    let mut bytes = [0; HEAD + 56];
    let length = u32::try_from(bytes.len()).unwrap_or_default();
    bytes[..4].copy_from_slice(&length.to_ne_bytes());
    bytes[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&REQUEST_DUMP.to_ne_bytes());
    bytes[HEAD] = family;
    bytes[HEAD + 1] = TCP;
    bytes[HEAD + 4..HEAD + 8].copy_from_slice(&(1_u32 << LISTENS).to_ne_bytes());
    bytes[HEAD + 8..HEAD + 10].copy_from_slice(&port.to_be_bytes());
    bytes
}

fn receive(socket: &OwnedFd, port: u16, listeners: &mut Vec<Listener>) -> io::Result<()> {
    let mut buffer = vec![0; 32 << 10];
    loop {
        let (length, _) = rustix::net::recv(socket, buffer.as_mut_slice(), RecvFlags::empty())?;
        let mut rest = &buffer[..length];
        if rest.is_empty() {
            return Err(Errno::PROTO.into());
        }
        while rest.len() >= HEAD {
            let size = number(rest, 0) as usize;
            if size < HEAD || size > rest.len() {
                return Err(Errno::PROTO.into());
            }
            let body = &rest[HEAD..size];
            match u16::from_ne_bytes([rest[4], rest[5]]) {
                DONE => return Ok(()),
                SOCK_DIAG_BY_FAMILY if body.len() >= SOCKET => {
                    if body[4..6] == port.to_be_bytes() {
                        listeners.push(listener(body));
                    }
                }
                // An error, or nothing that is known.
                _ => return Err(Errno::PROTO.into()),
            }
            rest = &rest[size.next_multiple_of(4).min(rest.len())..];
        }
    }
}

/// A socket as the kernel lists it.
fn listener(body: &[u8]) -> Listener {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&body[8..24]);
    let address = if body[0] == AF_INET {
        IpAddr::from([bytes[0], bytes[1], bytes[2], bytes[3]])
    } else {
        IpAddr::from(bytes)
    };
    Listener { address, uid: number(body, 64) }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Reads the tables of proc(5), which list all sockets.
fn read_tables(port: u16) -> io::Result<Vec<Listener>> {
    let v4 = std::fs::read_to_string("/proc/net/tcp")?;
    // A kernel without IPv6 has no such table.
    let v6 = match std::fs::read_to_string("/proc/net/tcp6") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        table => table?,
    };
    Ok(v4.lines().chain(v6.lines()).filter_map(|line| table_line(line, port)).collect())
}

/// `SL: ADDRESS:PORT PEER STATE QUEUES TIMER RETRANSMITS UID …`, numbers in hexadecimal but for the uid, addresses as
/// words in the host's byte order.
fn table_line(line: &str, port: u16) -> Option<Listener> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (address, local_port) = fields.next()?.split_once(':')?;
    let state = fields.nth(1)?;
    if u16::from_str_radix(local_port, 16).ok()? != port || state != "0A" {
        return None;
    }
    let uid = fields.nth(3)?.parse().ok()?;
    let word = |at: usize| u32::from_str_radix(address.get(at..at + 8)?, 16).ok();
    let address = if address.len() == 8 {
        IpAddr::from(word(0)?.to_ne_bytes())
    } else {
        let mut bytes = [0; 16];
        for (index, part) in bytes.chunks_exact_mut(4).enumerate() {
            part.copy_from_slice(&word(index * 8)?.to_ne_bytes());
        }
        IpAddr::from(bytes)
    };
    Some(Listener { address, uid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn both_ways_name_the_account_of_a_listener() {
        for address in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let port = listener.local_addr().unwrap().port();
            let me = nix::unistd::geteuid();
            assert_eq!(owner(port).unwrap(), Some(me), "{address}");
            assert_eq!(ask_kernel(port).unwrap(), read_tables(port).unwrap(), "{address}");
            drop(listener);
            assert_eq!(owner(port).unwrap(), None, "{address}");
        }
    }

    #[test]
    fn the_most_specific_address_decides_and_two_accounts_on_it_are_an_error() {
        let at = |address: &str, uid| Listener { address: address.parse().unwrap(), uid };
        assert_eq!(choose(&[at("::", 7), at("127.0.0.1", 5)]).unwrap(), Some(5));
        assert_eq!(choose(&[at("0.0.0.0", 7), at("::", 8)]).unwrap(), Some(7));
        assert_eq!(choose(&[at("::ffff:127.0.0.1", 7)]).unwrap(), Some(7));
        assert_eq!(choose(&[at("192.0.2.1", 7), at("127.0.0.2", 8), at("::1", 9)]).unwrap(), None);
        assert!(choose(&[at("0.0.0.0", 7), at("0.0.0.0", 8)]).is_err());
    }

    #[test]
    fn a_line_of_the_table_is_read_if_it_listens() {
        let line = "   0: 0100007F:0EBD 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 1 1";
        let read = table_line(line, 3773);
        assert_eq!(read, Some(Listener { address: Ipv4Addr::LOCALHOST.into(), uid: 1001 }));
        assert_eq!(table_line(line, 3774), None);
        assert_eq!(table_line(&line.replace(" 0A ", " 01 "), 3773), None);
        assert_eq!(table_line("  sl  local_address rem_address", 3773), None);
    }
}
