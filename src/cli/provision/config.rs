//! Site values of `provision`: the table `[provision]` of the configuration file.

use super::output::shown;
use super::servers::{Authentik, Servers, Vault};
use crate::cli::config_file;
use crate::cli::exit::Failure;
use crate::offboard;
use crate::provision::settings::{self, MAX_CUT_PERCENT};
use crate::roster::Tier;
use crate::roster::groups::TierGroups;
use crate::roster::ports::Ranges;
use crate::supervisor::config::NAMES;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The file, as far as it is `provision`'s; the other names are `persist`'s, and no others are known.
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
    shell: Option<String>,
    home_base: Option<String>,
    groups: BTreeMap<String, Vec<String>>,
    vault: Option<Vault>,
    authentik: Option<Authentik>,
    code: settings::code::Settings,
    agents: settings::agents::Settings,
    cluster: settings::cluster::Settings,
    browser: settings::browser::Settings,
    offboard: offboard::Settings,
}

/// Resolved site values.
#[derive(Debug)]
pub(super) struct Config {
    /// Where new ports come from.
    pub ranges: Ranges,
    /// The groups of each tier.
    pub groups: TierGroups,
    /// The share of users that a membership may cut at once.
    pub max_cut_percent: u8,
    /// The shell of new accounts.
    pub shell: String,
    /// Where homes are.
    pub home_base: String,
    /// Whom to ask.
    pub servers: Servers,
    /// Of clones.
    pub code: settings::code::Settings,
    /// Of the agents' configuration.
    pub agents: settings::agents::Settings,
    /// Of the access to the cluster.
    pub cluster: settings::cluster::Settings,
    /// Of the browser tool.
    pub browser: settings::browser::Settings,
    /// Of leaving.
    pub offboard: offboard::Settings,
}

impl Config {
    /// What a plan needs of them.
    pub(super) fn settings(self, max_cut_percent: Option<u8>, uid_min: u32) -> settings::Settings {
        settings::Settings {
            ranges: self.ranges,
            groups: self.groups,
            max_cut_percent: max_cut_percent.unwrap_or(self.max_cut_percent),
            shell: self.shell,
            home_base: self.home_base,
            uid_min,
            code: self.code,
            agents: self.agents,
            cluster: self.cluster,
            browser: self.browser,
            offboard: self.offboard,
        }
    }
}

/// Loads them; an absent default file is no error, an absent `--config` is.
pub(super) fn load(path: Option<&Path>) -> Result<Config, Failure> {
    let file: File = config_file::read_file(path)?.unwrap_or_default();
    let name = shown(path.unwrap_or(Path::new(config_file::CONFIG)));
    let in_file = |failure: Failure| Failure { message: format!("{name}: {failure}"), ..failure };
    if let Some(unknown) = file.others.keys().find(|key| !NAMES.contains(&key.as_str())) {
        let unknown = unknown.escape_debug();
        return Err(in_file(Failure::usage(format!("unknown field or table '{unknown}'"))));
    }
    resolve(file.provision).map_err(in_file)
}

fn resolve(table: Table) -> Result<Config, Failure> {
    let mut config = Config {
        ranges: ranges(table.t3_port_base, table.playwright_port_base)?,
        groups: TierGroups::default(),
        max_cut_percent: table.max_cut_percent.unwrap_or(MAX_CUT_PERCENT),
        shell: absolute("shell", table.shell, "/bin/bash")?,
        home_base: absolute("home_base", table.home_base, "/home")?,
        servers: Servers { vault: table.vault, authentik: table.authentik },
        code: table.code,
        agents: table.agents,
        cluster: table.cluster,
        browser: table.browser,
        offboard: table.offboard,
    };
    let refused = |why| Failure::usage(format!("provision.offboard.{why}"));
    config.offboard.check().map_err(refused)?;
    if config.max_cut_percent > 100 {
        return Err(Failure::usage("provision.max_cut_percent: expected 0 to 100"));
    }
    for (name, groups) in table.groups {
        let known =
            || Failure::usage(format!("provision.groups: no tier '{}'", name.escape_debug()));
        let tier = Tier::of_name(&name).ok_or_else(known)?;
        let refused = |error| Failure::usage(format!("provision.groups.{name}: {error}"));
        config.groups.set(tier, groups).map_err(refused)?;
    }
    Ok(config)
}

/// A path that stands in a line of `/etc/passwd`.
fn absolute(key: &str, value: Option<String>, default: &str) -> Result<String, Failure> {
    let value = value.unwrap_or_else(|| default.to_owned());
    let fine = |c: char| c.is_ascii_alphanumeric() || "/._+-".contains(c);
    let plain = value.chars().all(fine) && value.split('/').all(|part| part != "..");
    if value.len() > 1 && value.starts_with('/') && !value.ends_with('/') && plain {
        return Ok(value);
    }
    let value = value.escape_debug();
    Err(Failure::usage(format!("provision.{key}: expected an absolute path, found '{value}'")))
}

/// Two ranges that share nothing: the lower one ends where the other begins.
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
