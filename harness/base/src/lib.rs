//! The floor: texts, names, secrets and files.
//!
//! It knows nothing of gateways, scenarios or records; everything else stands on it. Read [`text`] first: what others
//! wrote passes through it before anybody sees it.

pub mod escapes;
pub mod files;
pub mod nearest;
pub mod parallel;
pub mod redact;
pub mod secret;
pub mod template;
pub mod text;
pub mod time;
