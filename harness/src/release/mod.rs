//! Releases: their order, how a gateway is named, where it comes from, and what is executed to run it.
//!
//! Nothing here launches a gateway; [`resolve`] ends with a [`Program`].

mod cache;
mod install;
mod library;
mod list;
mod local;
mod node;
mod npm;
mod problem;
mod program;
mod range;
mod reference;
mod registry;
mod version;

pub use cache::{Cache, Entry, EntryState, Footprint, Lease, Removal, prunable};
pub use install::{InstallContext, Installation, install, resolve};
pub(crate) use library::said;
pub use library::{Library, NodeLibrary, PythonLibrary};
pub use list::{Releases, Walk};
pub(crate) use node::KNOWN_GOOD as NODES;
pub use problem::{InstallError, Progress};
pub use program::{Need, Program};
pub use range::{NameError, RangeError, ReleaseName, ReleaseRange};
pub use reference::GatewayRef;
pub use registry::releases;
pub use version::{Line, Version, VersionError, VersionRange};
