//! The table `[provision]` of the configuration file.

use crate::cli::config_file;
use crate::cli::exit::Failure;
use crate::offboard;
use crate::provision::settings::roster_repository::RosterRepository;
use crate::provision::settings::servers::{Authentik, Membership, Vault};
use crate::provision::settings::{self, MAX_CUT_PERCENT};
use crate::roster::groups::TierGroups;
use crate::roster::ports::Ranges;
use crate::roster::{self, Tier};
use crate::supervisor::config::NAMES;
use crate::text::shown;
use crate::text::suggest::did_you_mean;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The file. Its other names are those of `persist`; all others are errors.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    provision: Table,
    #[serde(flatten)]
    others: toml::Table,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Table {
    t3_port_base: Option<u16>,
    playwright_port_base: Option<u16>,
    max_cut_percent: Option<u8>,
    ignored_fields: Vec<String>,
    shell: Option<String>,
    home_base: Option<String>,
    groups: BTreeMap<String, Vec<String>>,
    vault: Option<Vault>,
    authentik: Option<Authentik>,
    membership: Membership,
    roster_repository: Option<RosterRepository>,
    code: settings::code::Settings,
    agents: settings::agents::Settings,
    cluster: settings::cluster::Settings,
    browser: settings::browser::Settings,
    backup: settings::backup::Settings,
    name_old_units: bool,
    closed_trees: Vec<settings::closed_tree::ClosedTree>,
    secrets: Vec<settings::staged::StagedSecret>,
    git: Option<settings::staged::Git>,
    offboard: offboard::Settings,
}

/// Resolved site values.
#[derive(Debug)]
pub(super) struct Config {
    /// The ranges that new ports are taken from.
    pub ranges: Ranges,
    /// The groups of each tier.
    pub groups: TierGroups,
    /// Maximum share of users, in percent, that may be cut at once.
    pub max_cut_percent: u8,
    /// Names of fields of the roster that are passed over.
    pub ignored_fields: Vec<String>,
    /// The shell of new accounts.
    pub shell: String,
    /// The directory of homes.
    pub home_base: String,
    /// The server with the cluster's users.
    pub vault: Option<Vault>,
    /// The server with the members.
    pub authentik: Option<Authentik>,
    /// How members are compared with rows.
    pub membership: Membership,
    /// The clone that the roster is read from.
    pub roster_repository: Option<RosterRepository>,
    pub code: settings::code::Settings,
    pub agents: settings::agents::Settings,
    pub cluster: settings::cluster::Settings,
    pub browser: settings::browser::Settings,
    pub backup: settings::backup::Settings,
    pub name_old_units: bool,
    pub closed_trees: Vec<settings::closed_tree::ClosedTree>,
    pub secrets: Vec<settings::staged::StagedSecret>,
    pub git: Option<settings::staged::Git>,
    pub offboard: offboard::Settings,
}

impl Config {
    /// The values that a plan follows from.
    pub(super) fn settings(
        self,
        max_cut_percent: Option<u8>,
        (uid_min, uid_max): (u32, u32),
    ) -> settings::Settings {
        settings::Settings {
            ranges: self.ranges,
            groups: self.groups,
            max_cut_percent: max_cut_percent.unwrap_or(self.max_cut_percent),
            shell: self.shell,
            home_base: self.home_base,
            uid_min,
            uid_max,
            code: self.code,
            agents: self.agents,
            cluster: self.cluster,
            browser: self.browser,
            name_old_units: self.name_old_units,
            closed_trees: self.closed_trees,
            secrets: self.secrets,
            git: self.git,
            offboard: self.offboard,
        }
    }
}

/// Loads the values; a missing default file is no error, a missing `--config` is.
pub(super) fn load(path: Option<&Path>) -> Result<Config, Failure> {
    let file: File = config_file::read_file(path)?.unwrap_or_default();
    let name = shown(path.unwrap_or(Path::new(config_file::CONFIG))).to_string();
    let in_file = |failure: Failure| Failure { message: format!("{name}: {failure}"), ..failure };
    if let Some(unknown) = file.others.keys().find(|key| !NAMES.contains(&key.as_str())) {
        let failure = Failure::usage(format!("unknown field or table '{}'", shown(unknown)));
        let known = NAMES.into_iter().chain(["provision"]);
        return Err(in_file(failure.with_optional_hint(did_you_mean(unknown, known))));
    }
    resolve(file.provision).map_err(in_file)
}

fn resolve(table: Table) -> Result<Config, Failure> {
    if let Some(field) = table.ignored_fields.iter().find(|field| roster::is_field(field)) {
        let what = format!("provision.ignored_fields: '{}' is a field of the roster", shown(field));
        return Err(Failure::usage(what));
    }
    let mut config = Config {
        ranges: ranges(table.t3_port_base, table.playwright_port_base)?,
        groups: TierGroups::default(),
        max_cut_percent: table.max_cut_percent.unwrap_or(MAX_CUT_PERCENT),
        ignored_fields: table.ignored_fields,
        shell: absolute("shell", table.shell, "/bin/bash")?,
        home_base: absolute("home_base", table.home_base, "/home")?,
        vault: table.vault,
        authentik: table.authentik,
        membership: table.membership,
        roster_repository: table.roster_repository,
        code: table.code,
        agents: table.agents,
        cluster: table.cluster,
        browser: table.browser,
        backup: table.backup,
        name_old_units: table.name_old_units,
        closed_trees: table.closed_trees,
        secrets: table.secrets,
        git: table.git,
        offboard: table.offboard,
    };
    let invalid = |error| Failure::usage(format!("provision.offboard.{error}"));
    config.offboard.check().map_err(invalid)?;
    let invalid = |error| Failure::usage(format!("provision.agents.{error}"));
    config.agents.check().map_err(invalid)?;
    let invalid = |error| Failure::usage(format!("provision.backup.{error}"));
    config.backup.check().map_err(invalid)?;
    if config.max_cut_percent > 100 {
        return Err(Failure::usage("provision.max_cut_percent: expected 0 to 100"));
    }
    for (name, groups) in table.groups {
        let unknown = || {
            let failure = Failure::usage(format!("provision.groups: no tier '{}'", shown(&name)));
            failure.with_optional_hint(did_you_mean(&name, Tier::ALL.map(Tier::name)))
        };
        let tier = Tier::of_name(&name).ok_or_else(unknown)?;
        let invalid = |error| Failure::usage(format!("provision.groups.{name}: {error}"));
        config.groups.set(tier, groups).map_err(invalid)?;
    }
    Ok(config)
}

/// A path for a field of `/etc/passwd`.
fn absolute(key: &str, value: Option<String>, default: &str) -> Result<String, Failure> {
    let value = value.unwrap_or_else(|| default.to_owned());
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "/._+-".contains(c);
    let plain = value.chars().all(is_allowed) && value.split('/').all(|part| part != "..");
    if value.len() > 1 && value.starts_with('/') && !value.ends_with('/') && plain {
        return Ok(value);
    }
    let found = shown(&value);
    Err(Failure::usage(format!("provision.{key}: expected an absolute path, found '{found}'")))
}

/// Two disjoint ranges: the lower one ends where the other begins.
fn ranges(t3: Option<u16>, playwright: Option<u16>) -> Result<Ranges, Failure> {
    let default = Ranges::default();
    let (t3, playwright) =
        (t3.unwrap_or(default.t3.start), playwright.unwrap_or(default.playwright.start));
    if t3 < 1024 || playwright < 1024 || t3 == playwright {
        let what = "provision.t3_port_base and playwright_port_base: expected two different ports, \
                    1024 or above";
        return Err(Failure::usage(what));
    }
    let end = |from: u16, other: u16| if from < other { other } else { u16::MAX };
    Ok(Ranges { t3: t3..end(t3, playwright), playwright: playwright..end(playwright, t3) })
}
