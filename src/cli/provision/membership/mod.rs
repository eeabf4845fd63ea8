//! `provision membership`.

mod publish;
mod report;

use super::args::MembershipArgs;
use super::config::Config;
use super::members::{self, MembersError};
use super::output::Output;
use super::roster_input::{self, deciding_roster};
use crate::cli::exit::{Exit, Failure};
use crate::provision::observe::host_accounts;
use crate::provision::observe::roster_file::{ValidRoster, problem_lines};
use crate::provision::settings::roster_repository::RosterRepository;
use crate::provision::sources::roster_repository::check_owner;
use crate::roster::edit::{Edit, EditError, edit_ignoring};
use crate::roster::members::Member;
use crate::roster::membership::{Context, Membership, compare, spellings};
use crate::roster::{Row, former_rows};
use crate::sys::{accounts, clock, fs};
use crate::text::{escape, shown};
use publish::Published;
use report::Outcome;
use std::collections::BTreeMap;

/// A roster, and what the comparison with the members gives.
struct Compared {
    roster: ValidRoster,
    /// The commit that it was read from.
    commit: Option<String>,
    former: Vec<(String, Row)>,
    found: Membership,
}

/// Compares members with rows, and edits the roster with `--apply` or `--commit`.
pub(super) fn membership(
    output: Output,
    args: &MembershipArgs,
    mut config: Config,
) -> Result<Exit, Failure> {
    if let Some(note) = args.note.as_ref().filter(|note| note.chars().any(char::is_control)) {
        let message = format!("--note '{}': expected one line of text", shown(note));
        return Err(Failure::usage(message));
    }
    let repository = repository(args, &mut config)?;
    let (roster, commit) = deciding_roster(&args.roster.roster, &config)?;
    let members = match members::of_membership(args, &config) {
        Ok(members) => members,
        Err(MembersError::Failure(failure)) => return Err(failure),
        Err(MembersError::Unknown(unknown)) => {
            return Err(cannot_determine(output, &roster.name, &unknown.to_string())?);
        }
    };
    let mut compared = Compared::of(roster, commit, &members, args, &config)?;
    let outcome = match &repository {
        Some(from) => published(&mut compared, from, &members, args, &config)?,
        None => compared.written(args, &config)?,
    };
    let (name, found) = (&compared.roster.name, &compared.found);
    output.result(&report::as_json(name, &outcome, found), || report::text(found, &outcome))?;
    if let Some(why) = &found.refused {
        return Err(Failure::refused(format!("{name}: {why}; nothing was changed"))
            .with_hint("--max-cut-percent PERCENT"));
    }
    if let Outcome::Published(Published::Rejected { why }) = &outcome {
        let why = format!("{name}: the remote took no commit: {why}; nothing was changed");
        return Err(Failure::left_to_a_person(why).with_hint("provision membership --commit"));
    }
    if !found.activity_unknown.is_empty() {
        let number = found.activity_unknown.len();
        output.note(&format!("cannot determine whether {number} members are active"));
    }
    // A timer must not count a run as a success that waits for a person.
    Ok(if found.left_to_a_person.is_empty() { Exit::Done } else { Exit::LeftToAPerson })
}

/// The repository to commit in, with `--commit`. Then its newest commit must be known.
fn repository(
    args: &MembershipArgs,
    config: &mut Config,
) -> Result<Option<RosterRepository>, Failure> {
    let path = &args.roster.roster;
    let from = roster_input::repository(path, true, config).cloned();
    if !args.commit {
        let is_for_nothing = args.apply && accounts::is_root();
        return match from.filter(|_| is_for_nothing) {
            Some(from) => {
                let why = format!("--apply: the roster is read from commits of {}", from.name());
                Err(Failure::usage(why).with_hint("--commit"))
            }
            None => Ok(None),
        };
    }
    let Some(mut from) = from else {
        let why = if config.roster_repository.is_some() {
            "--commit: --roster names a file, not the configured repository"
        } else {
            "--commit: no repository is configured (provision.roster_repository)"
        };
        return Err(Failure::usage(why));
    };
    if !accounts::is_root() {
        let why = "--commit: only root runs git as the owner of the clone";
        return Err(Failure::usage(why).with_hint("run it as root"));
    }
    check_owner(&from)?;
    from.required = true;
    config.roster_repository = Some(from.clone());
    Ok(Some(from))
}

impl Compared {
    fn of(
        roster: ValidRoster,
        commit: Option<String>,
        members: &[Member],
        args: &MembershipArgs,
        config: &Config,
    ) -> Result<Self, Failure> {
        let rows = &roster.document.roster;
        let names: Vec<String> = members.iter().flat_map(spellings).collect();
        let names = names.iter().filter(|name| !rows.users.contains_key(*name));
        let host = host_accounts::facts_and_groups(names.map(String::as_str));
        let former = former_rows(&roster.bytes, &config.ignored_fields);
        let context = Context {
            former: &former,
            host: &host.map_err(Failure::failed)?,
            reserved: &config.membership.reserved,
            max_cut_percent: args.max_cut_percent.unwrap_or(config.max_cut_percent),
        };
        let found = compare(members, rows, &context);
        Ok(Self { roster, commit, former, found })
    }

    /// What comes of it without an edit; `None` if the roster is to be edited.
    fn without_edit(&self) -> Option<Outcome> {
        if self.found.refused.is_some() {
            return Some(Outcome::Refused);
        }
        let is_same = self.found.new.is_empty() && self.found.leavers.is_empty();
        is_same.then_some(Outcome::Unchanged)
    }

    /// The edited roster.
    fn edited(&self, args: &MembershipArgs, config: &Config) -> Result<Vec<u8>, Failure> {
        let ValidRoster { name, bytes, .. } = &self.roster;
        edit_ignoring(bytes, &edits(&self.found, args), &config.ignored_fields).map_err(|error| {
            match error {
                EditError::Invalid(problems) => Failure::failed(problem_lines(name, &problems)),
                other => Failure::failed(format!("{name}: {other}"))
                    .with_optional_hint(other.hint().map(str::to_owned)),
            }
        })
    }

    /// Writes the file with `--apply`.
    fn written(&self, args: &MembershipArgs, config: &Config) -> Result<Outcome, Failure> {
        if let Some(outcome) = self.without_edit() {
            return Ok(outcome);
        }
        if !args.apply {
            let option = if self.commit.is_some() { "--commit" } else { "--apply" };
            return Ok(Outcome::Compared(option));
        }
        let edited = self.edited(args, config)?;
        fs::replace(&args.roster.roster, &self.roster.bytes, &edited)?;
        Ok(Outcome::Applied)
    }
}

/// Commits the edit. If the remote has a newer commit, the edit is made once more, on top of that one; if the
/// remote rejects the same commit for another reason, there is nothing to retry.
fn published(
    compared: &mut Compared,
    from: &RosterRepository,
    members: &[Member],
    args: &MembershipArgs,
    config: &Config,
) -> Result<Outcome, Failure> {
    let mut is_retry = false;
    loop {
        if let Some(outcome) = compared.without_edit() {
            return Ok(outcome);
        }
        let edited = compared.edited(args, config)?;
        let source = members::source(args, config);
        let note = args.note.as_deref();
        let message = publish::message(&compared.found, &compared.former, &source, note);
        let base = compared.commit.clone().unwrap_or_default();
        let published = publish::publish(from, &base, &edited, &message, args.push)?;
        if !matches!(published, Published::Rejected { .. }) || is_retry {
            return Ok(Outcome::Published(published));
        }
        let (roster, commit) = deciding_roster(&args.roster.roster, config)?;
        if commit.as_ref() == Some(&base) {
            return Ok(Outcome::Published(published));
        }
        is_retry = true;
        *compared = Compared::of(roster, commit, members, args, config)?;
    }
}

/// Prints the result without members, and gives the error that ends the command.
fn cannot_determine(output: Output, file: &str, why: &str) -> Result<Failure, Failure> {
    if output.json {
        output.json(&report::unknown_as_json(file, why))?;
    }
    let why = escape(why.as_bytes());
    Ok(Failure::unknown(format!(
        "cannot determine group members: {why}; no users were added or cut"
    )))
}

/// The edits of the roster: each comment begins with the day.
fn edits(found: &Membership, args: &MembershipArgs) -> Edit {
    let now = i64::try_from(clock::now()).ok();
    let now = now.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    let day = now.map_or_else(String::new, |time| time.format("%Y-%m-%d").to_string());
    let note = |(user, why): (&String, &String)| {
        (user.clone(), format!("left {day}: {}", args.note.as_ref().unwrap_or(why)))
    };
    let comment_out: BTreeMap<String, String> = found.leavers.iter().map(note).collect();
    Edit { add: found.new.clone(), comment_out }
}
