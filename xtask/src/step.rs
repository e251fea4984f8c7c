//! One step of a chore: announces a command, runs it, and reports its time and result.
//!
//! The command prints directly to our output, so the last lines of test runners stay visible.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A command to run from the root of the workspace.
pub(crate) struct Step {
    name: &'static str,
    program: String,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

impl Step {
    /// A step that runs `program` with `arguments`.
    pub(crate) fn new(name: &'static str, program: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Self { name, program: program.to_string(), arguments, environment: Vec::new() }
    }

    /// A step that runs cargo.
    pub(crate) fn cargo(name: &'static str, arguments: &[&str]) -> Self {
        Self::new(name, "cargo", arguments)
    }

    /// Sets an environment variable for this step only.
    pub(crate) fn with(mut self, variable: &'static str, value: &str) -> Self {
        self.environment.push((variable, value.to_string()));
        self
    }

    /// Runs the step in `root`, printing its name before and its result after.
    ///
    /// # Errors
    ///
    /// [`Failure`], with the command to repeat it, if the step cannot start or does not succeed.
    pub(crate) fn run(&self, root: &Path) -> Result<(), Failure> {
        announce(self.name, &self.to_string());
        let started = Instant::now();
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(self.environment.iter().cloned()).current_dir(root);
        let status = command.stdin(Stdio::null()).status().map_err(|error| {
            self.failure(&format!("{} could not be started: {error}", self.program))
        })?;
        if !status.success() {
            return Err(self.failure(&status.to_string()));
        }
        passed(self.name, started);
        Ok(())
    }

    fn failure(&self, found: &str) -> Failure {
        Failure::new(format!("{} failed ({found}); to repeat it: {self}", self.name))
    }
}

/// The command as typed into a shell.
impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (variable, value) in &self.environment {
            write!(out, "{variable}=\"{value}\" ")?;
        }
        write!(out, "{}", self.program)?;
        self.arguments.iter().try_for_each(|argument| write!(out, " {argument}"))
    }
}

/// Why a chore failed, as a sentence for the person who ran it.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// A failure; `text` says what is wrong and what to do.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Prints the name of a step and what it does.
pub(crate) fn announce(name: &str, what: &str) {
    println!("==> {name}: {what}");
}

/// Prints that a step passed, and how long it took.
pub(crate) fn passed(name: &str, started: Instant) {
    println!("==> {name}: passed in {} s\n", started.elapsed().as_secs());
}

/// Runs `program` with `arguments`, without output. Whether it succeeds.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What `program`, run in `directory`, prints to standard output; `None` if it fails.
pub(crate) fn output(directory: &Path, program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok()?;
    output.status.success().then_some(output.stdout)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Step;

    #[test]
    fn failed_step_names_itself_and_the_command_to_repeat() {
        let step = Step::new("sample", "false", &["--now"]).with("MODE", "a b");
        let failure = step.run(Path::new(".")).unwrap_err().to_string();
        assert!(failure.contains("sample failed"), "{failure}");
        assert!(failure.contains("MODE=\"a b\" false --now"), "{failure}");
    }

    #[test]
    fn missing_program_is_a_failure_not_a_panic() {
        let step = Step::new("sample", "no-such-program-here", &[]);
        let failure = step.run(Path::new(".")).unwrap_err().to_string();
        assert!(failure.contains("could not be started"), "{failure}");
    }
}
