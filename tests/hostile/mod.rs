//! One user is hostile or unlucky, root saves everybody: the others are saved, in time, and
//! nothing of the hostile user's ever happens with root's rights.

mod agent;
mod boot;
mod children;
mod events;
mod fakes;
mod homes;
mod hooks;
mod map;
mod output;
mod process_list;
mod report;
mod restore;
mod servers;
mod sockets;
mod state;
mod status;
mod trace;
mod turns;
