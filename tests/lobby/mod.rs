//! The lobby: its page in a real browser, and what others on the host may try.

mod agent;
mod attention;
mod client;
mod conversation;
mod door;
mod files;
mod gateway;
mod lab;
mod layout;
mod list;
mod managed;
mod new_session;
mod oidc;
mod page;
mod phone;
mod restore;
mod search;
mod survive;
mod terminal;
mod tiles;
