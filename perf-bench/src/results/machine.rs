//! What this machine is, so that its times are only compared with its own. What cannot be found out is an empty text and never an error.

use std::fs;
use std::process::Command;
use std::thread;

use super::record::{Build, Machine};

impl Machine {
    /// This one.
    pub(crate) fn this() -> Self {
        Machine {
            cpu: cpu(),
            cores: thread::available_parallelism().map_or(0, usize::from),
            os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            kernel: first_line("/proc/sys/kernel/osrelease"),
            host: host(),
        }
    }

    /// In one line, for messages.
    pub(crate) fn line(&self) -> String {
        let cores = if self.cores == 1 { "1 core".to_owned() } else { format!("{} cores", self.cores) };
        let cpu = if self.cpu.is_empty() { "a processor of no name" } else { &self.cpu };
        format!("{cpu}, {cores}, {}, host {}", self.os, if self.host.is_empty() { "?" } else { &self.host })
    }
}

impl Build {
    /// Of this program, as cargo runs it: the compiler is the one that cargo was told to use.
    pub(crate) fn this() -> Self {
        let run_by_cargo = std::env::var_os("CARGO").is_some();
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let said = run_by_cargo.then(|| Command::new(rustc).arg("--version").output().ok()).flatten();
        let said = said.and_then(|output| String::from_utf8(output.stdout).ok());
        let program = std::env::current_exe().ok();
        // target/release/deps/speed-0123456789abcdef
        let profile =
            program.as_deref().and_then(|program| program.parent()?.parent()?.file_name()?.to_str());
        Build {
            rustc: said.map(|said| said.trim().to_owned()).filter(|said| !said.is_empty()),
            profile: profile.map(str::to_owned),
        }
    }
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// As Linux tells it; elsewhere the kind of processor has to do.
fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    named(&info, &["model name", "Model", "Hardware"]).unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// The value of the first of these names that there is.
fn named(info: &str, names: &[&str]) -> Option<String> {
    let value = |wanted: &&str| {
        info.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == *wanted && !value.trim().is_empty()).then(|| value.trim().to_owned())
        })
    };
    names.iter().find_map(value)
}

/// The number that the system was given when it was installed, else its name.
fn host() -> String {
    let places =
        ["/etc/machine-id", "/var/lib/dbus/machine-id", "/proc/sys/kernel/hostname", "/etc/hostname"];
    let number = places.iter().map(|place| first_line(place)).find(|line| !line.is_empty());
    let number = number.or_else(|| std::env::var("COMPUTERNAME").ok());
    number.map(|number| format!("{:016x}", hash(number.as_bytes()))).unwrap_or_default()
}

/// FNV-1a (G. Fowler, L. Noll, K. Vo): the same in every version of every program that may read the file.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_itself() {
        assert!(Machine::this().is(&Machine::this()));
        assert!(Machine::this().cores > 0);
    }

    #[test]
    fn what_linux_says_of_processors() {
        let info = "processor\t: 0\nmodel name\t: Z80 @ 4 MHz\nmodel name\t: other\n";
        assert_eq!(named(info, &["model name"]).as_deref(), Some("Z80 @ 4 MHz"));
        assert_eq!(
            named("model name :\nHardware : BCM", &["model name", "Hardware"]).as_deref(),
            Some("BCM")
        );
        assert_eq!(named("", &["model name"]), None);
    }

    #[test]
    fn the_hash_is_the_one_in_the_files() {
        assert_eq!(hash(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(hash(b"foobar"), 0x8594_4171_F739_67E8);
    }
}
