//! Where everything of a center lies in its profile.

use std::path::PathBuf;

use tui_kit::profile::Profile;

/// The files and folders of one center.
#[derive(Debug, Clone)]
pub struct Places {
    /// The profile's data.
    pub data: PathBuf,
    /// The settings.
    pub config: PathBuf,
    /// The sealed root key. It is not needed for serving and may lie elsewhere.
    pub root_key: PathBuf,
    /// The sealed service key and role keys.
    pub service_key: PathBuf,
    /// What proves operators' identities.
    pub operators: PathBuf,
    /// The journal.
    pub books: PathBuf,
    /// The registers, which the journal can rebuild.
    pub registers: PathBuf,
    /// The cabinet, which nothing can rebuild.
    pub cabinet: PathBuf,
    /// Logs and reports.
    pub state: PathBuf,
    /// The control socket.
    pub control: PathBuf,
}

impl Places {
    /// The places of a profile.
    pub fn of(profile: &Profile) -> Self {
        let data = profile.data();
        Self {
            config: profile.config_file(),
            root_key: data.join("root.key"),
            service_key: data.join("service.key"),
            operators: data.join("operators.json"),
            books: data.join("books"),
            registers: data.join("registers"),
            cabinet: data.join("cabinet"),
            state: profile.state().to_owned(),
            control: profile.control_socket(),
            data: data.to_owned(),
        }
    }
}
