//! Where a gateway comes from: the registry, the cache, Node, and what is executed to run it.
//!
//! Nothing here launches a gateway; [`resolve`] ends with a [`Program`].

mod ahead;
mod archive;
mod cache;
mod compile_cache;
mod context;
mod image;
mod installer;
mod library;
mod listing;
mod local;
mod node;
mod npm;
mod package;
mod problem;
mod program;
mod registry;
pub mod timings;
mod venv;
mod version;

pub use ahead::{Installation, entry_name, install};
pub use cache::{Cache, Entry, EntryState, Footprint, Lease, Removal, prunable};
pub use compile_cache::CompileCache;
pub use context::InstallContext;
pub use installer::resolve;
pub(crate) use library::said;
pub use library::{Library, NodeLibrary, PythonLibrary};
pub use problem::{InstallError, Progress};
pub use program::Program;
pub use registry::releases;
