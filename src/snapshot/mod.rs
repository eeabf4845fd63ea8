//! Snapshots: the record of one user's sessions at one time, its file format and its store.

pub mod activity;
pub mod codec;
pub mod conversations;
pub mod diff;
pub mod endings;
pub mod id;
pub mod record;
pub mod retention;
pub mod scrollback;
pub mod store;
pub mod summary;
pub mod suspending;
pub mod tombstones;
pub mod unrestored;

pub use activity::{Activity, Restored, SaveResult};
pub use codec::{Damage, Fault, decode, encode};
pub use conversations::{Conversation, Conversations};
pub use endings::{EndKind, Ending, Endings};
pub use id::SnapshotId;
pub use record::{PaneFlags, Row, Snapshot, State, WindowFlags};
pub use store::{Store, Stored};
pub use summary::Summary;
pub use suspending::Suspending;
pub use tombstones::{Tombstone, Tombstones};
pub use unrestored::Unrestored;
