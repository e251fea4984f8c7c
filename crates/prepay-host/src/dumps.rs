//! Keeps the memory of this process, in which keys live, out of core dumps and away from debuggers.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Makes the system write no core dump of this process and, on Linux, lets no process of the same user read its memory
/// or attach to it. The administrator still can. Call it before any secret is read.
///
/// # Errors
///
/// What the operating system reports.
pub fn forbid_dumps() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
