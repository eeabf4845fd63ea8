//! What these tests share: a person's world, remotes that misbehave, and comparing bytes.

pub(crate) mod bytes;
pub(crate) mod http;
#[path = "../../../../../tests/support/lacks.rs"]
pub(crate) mod lacks;
pub(crate) mod server;
pub(crate) mod world;

pub(crate) use bytes::{Bytes, locks};
pub(crate) use lacks::lacks;
pub(crate) use server::{Kind, Server};
pub(crate) use world::{World, wait_until};
