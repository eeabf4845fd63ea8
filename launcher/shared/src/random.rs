//! Random names and numbers.

use rustix::io::Errno;

/// 128 random bits.
pub fn random_number() -> u128 {
    let mut bytes = [0_u8; 16];
    let mut filled = 0;
    while filled < bytes.len() {
        // getrandom(2) of 16 bytes fails only before the pool is ready, and then it waits.
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => unreachable!("getrandom(2) of 16 bytes: {error}"),
        }
    }
    u128::from_ne_bytes(bytes)
}

/// 128 random bits as 32 hexadecimal digits.
pub fn random_hex() -> String {
    format!("{:032x}", random_number())
}
