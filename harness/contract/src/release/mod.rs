//! Releases: their order, ranges of them, and how a gateway is named.
//!
//! Nothing here knows where a release comes from. Read [`Version`] first.

mod list;
mod need;
mod range;
mod reference;
mod version;

pub use list::{Releases, Walk};
pub use need::{NODES, Need};
pub use range::{NameError, RangeError, ReleaseName, ReleaseRange, closest};
pub use reference::{GatewayRef, is_tarball, tells_release};
pub use version::{Line, Version, VersionError, VersionRange};
