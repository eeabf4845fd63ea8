//! Shared rules, skills, agents and files for zsh in a user's home (pure): a link where nothing of that name is, and none
//! of ours once its source is gone.

use crate::provision::observe::observed::{HomeView, Observed};
use crate::provision::plan::change::{Action, Cause, Change, Step, Verb};
use crate::provision::plan::{Planned, account_id};
use crate::provision::protocol::shared::{Entry, Folder, Kind, SharedLink};
use crate::provision::protocol::{HomeTask, SharedFacts, SharedTask, clip};
use crate::provision::settings::agents::Settings;
use crate::provision::settings::values::Absolute;
use crate::provision::state::written::home_place;
use std::collections::BTreeMap;

const WHAT: &str = "shared rules, skills and agents in ~/.claude";
const WHAT_ELSE: &str = "shared files in ~/.claude and ~/.zshrc.d";

#[derive(Default)]
struct Links {
    remove: Vec<SharedLink>,
    add: Vec<SharedLink>,
}

pub(super) fn plan(user: &str, observed: &Observed, settings: &Settings) -> Planned {
    let Some(base) = settings.shared.as_ref().map(Absolute::as_str) else {
        return Planned::default();
    };
    let change = |part: &str, what: &str| {
        Change::new(Some(user), Step::Agents, part, what).needs([account_id(user)])
    };
    let new = SharedFacts::new();
    let facts = match observed.home_view(user) {
        HomeView::New => &new,
        HomeView::Facts(facts) => match &facts.shared {
            Some(facts) => facts,
            None => return Planned::default(),
        },
        HomeView::Unknown(why) => {
            let why = format!("the home was not inspected: {}", clip(why));
            return change("shared", WHAT).refused(Cause::Drift, why).into();
        }
        HomeView::NotInspected => return Planned::default(),
    };
    let (mut planned, mut links) = (Planned::default(), Links::default());
    for kind in Kind::ALL {
        // An error in the source is reported once, for the host.
        let Some(Ok(source)) = observed.configured.shared.get(&kind) else { continue };
        let empty = BTreeMap::new();
        let names = match facts.get(&kind) {
            Some(Folder::Names(names)) => names,
            Some(Folder::Unusable(why)) => {
                let what = format!("shared {} in ~/{}", kind.name(), kind.folders()[0]);
                let change = change(&format!("shared/{}", kind.name()), &what);
                planned.changes.push(change.refused(Cause::Drift, clip(why)));
                continue;
            }
            None => &empty,
        };
        let wanted = source.iter().filter(|(_, usable)| usable.is_ok()).map(|(name, _)| name);
        for name in wanted {
            let target = format!("{base}/{}/{name}", kind.name());
            let place = home_place(user, &kind.path(name));
            let link =
                |target: &str| SharedLink { kind, name: name.clone(), target: target.to_owned() };
            match names.get(name) {
                None => links.add.push(link(&target)),
                Some(Entry::Link(found)) if *found == target => {
                    planned.adopted.push((place, target.into_bytes()));
                }
                // Made for a directory that the configuration named before.
                Some(Entry::Link(found))
                    if observed.written.is_ours(&place, found.as_bytes()) == Some(true) =>
                {
                    links.remove.push(link(found));
                    links.add.push(link(&target));
                }
                Some(_) => {}
            }
        }
        for (name, entry) in names.iter().filter(|(name, _)| !source.contains_key(*name)) {
            let Entry::Link(target) = entry else { continue };
            let place = home_place(user, &kind.path(name));
            let below = target.strip_prefix(&format!("{base}/{}/", kind.name()));
            // A person's own link to something that is still there is kept.
            let into_base = below.is_some_and(|to| !to.contains('/') && !source.contains_key(to));
            let recorded = observed.written.is_ours(&place, target.as_bytes()) == Some(true);
            if (into_base || recorded)
                && !kind.is_personal(name)
                && !name.starts_with('.')
                && kind.accepts(name)
            {
                let (name, target) = (name.clone(), target.clone());
                links.remove.push(SharedLink { kind, name, target });
            }
        }
    }
    if !links.remove.is_empty() || !links.add.is_empty() {
        let of_zsh = links.remove.iter().chain(&links.add).any(|link| link.kind == Kind::Zsh);
        let what = if of_zsh { WHAT_ELSE } else { WHAT };
        planned.changes.push(links_change(change("shared", what), links, observed));
    }
    planned
}

fn links_change(mut change: Change, links: Links, observed: &Observed) -> Change {
    let shown = |sign: char| {
        move |link: &SharedLink| format!("{sign} {}/{}", link.kind.name(), clip(&link.name))
    };
    let Links { remove, add } = links;
    change.lines = remove.iter().map(shown('-')).chain(add.iter().map(shown('+'))).collect();
    let user = change.owner().to_owned();
    let was_made = |link: &SharedLink| {
        let place = home_place(&user, &link.kind.path(&link.name));
        observed.written.hashes.contains_key(&place)
    };
    let (verb, cause) = match (remove.is_empty(), add.iter().any(was_made)) {
        (true, false) => (Verb::Add, Cause::Intent),
        (true, true) => (Verb::Repair, Cause::Drift),
        (false, _) => (Verb::Repair, Cause::Intent),
    };
    let change = change.why("links where nothing of that name is; links whose source is gone end");
    let task = HomeTask::Shared(SharedTask::Links { remove, add });
    change.done(verb, cause, Action::Home(Box::new(task)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::observe::Unreadable;
    use crate::provision::observe::observed::HomeReport;
    use crate::provision::plan::tests::host;
    use crate::provision::protocol::HomeFacts;

    fn settings() -> Settings {
        toml::from_str("shared = '/srv/base'").unwrap()
    }

    fn link(target: &str) -> Entry {
        Entry::Link(target.to_owned())
    }

    /// What is planned for the rules of a home: names that go, names that come.
    fn links(there: &[(&str, Entry)], source: &[&str], recorded: &[(&str, &str)]) -> String {
        let mut observed = host(&["ann"]);
        let names = there.iter().map(|(name, entry)| ((*name).to_owned(), entry.clone())).collect();
        let facts = SharedFacts::from([(Kind::Rules, Folder::Names(names))]);
        let facts = HomeFacts { shared: Some(facts), ..HomeFacts::default() };
        observed.home_reports.insert("ann".to_owned(), HomeReport::Facts(Box::new(facts)));
        let entries = source.iter().map(|name| ((*name).to_owned(), Ok(()))).collect();
        observed.configured.shared.insert(Kind::Rules, Ok(entries));
        for (name, target) in recorded {
            observed.written.note(&home_place("ann", &Kind::Rules.path(name)), target.as_bytes());
        }
        let planned = plan("ann", &observed, &settings());
        planned.changes.iter().flat_map(|change| change.lines.clone()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_shared_rule_is_linked_only_where_nothing_of_that_name_is() {
        assert_eq!(links(&[], &["a.md", "b.md"], &[]), "+ rules/a.md + rules/b.md");
        assert_eq!(links(&[("a.md", Entry::Other)], &["a.md"], &[]), "");
        assert_eq!(links(&[("a.md", link("/elsewhere"))], &["a.md"], &[]), "");
        assert_eq!(links(&[("a.md", link("/srv/base/rules/a.md"))], &["a.md"], &[]), "");
    }

    #[test]
    fn a_link_of_ours_ends_with_its_source_and_a_persons_stays() {
        let ours = link("/srv/base/rules/a.md");
        assert_eq!(links(&[("a.md", ours.clone())], &[], &[]), "- rules/a.md");
        for (name, entry) in [
            ("a.md", Entry::Other),
            ("a.md", link("../base/rules/a.md")),
            ("a.md", link("/srv/base/skills/a.md")),
            ("a.md", link("/srv/base/rules/sub/a.md")),
            ("a.md", link("/srv/base-of-mine/rules/a.md")),
            ("alias.md", link("/srv/base/rules/b.md")),
            ("personal", ours),
        ] {
            assert_eq!(
                links(&[(name, entry.clone())], &["b.md"], &[]),
                "+ rules/b.md",
                "{entry:?}"
            );
        }
        // The directory moved: what is on record as ours follows, and nothing else.
        let old = link("/srv/old/rules/a.md");
        let recorded = [("a.md", "/srv/old/rules/a.md")];
        assert_eq!(
            links(&[("a.md", old.clone())], &["a.md"], &recorded),
            "- rules/a.md + rules/a.md"
        );
        assert_eq!(links(&[("a.md", old.clone())], &[], &recorded), "- rules/a.md");
        assert_eq!(links(&[("a.md", old)], &[], &[("a.md", "/other")]), "");
    }

    #[test]
    fn links_stay_where_the_source_cannot_be_read() {
        let mut observed = host(&["ann"]);
        let names = BTreeMap::from([("a.md".to_owned(), link("/srv/base/rules/a.md"))]);
        let facts = SharedFacts::from([
            (Kind::Rules, Folder::Names(names)),
            (Kind::Skills, Folder::Unusable("a link: not followed".to_owned())),
        ]);
        let facts = HomeFacts { shared: Some(facts), ..HomeFacts::default() };
        observed.home_reports.insert("ann".to_owned(), HomeReport::Facts(Box::new(facts)));
        observed.configured.shared.insert(Kind::Rules, Err(Unreadable::new("not mounted")));
        let refused = BTreeMap::from([("x".to_owned(), Err(Unreadable::new("belongs to uid 7")))]);
        observed.configured.shared.insert(Kind::Skills, Ok(refused.clone()));
        observed.configured.shared.insert(Kind::Agents, Ok(refused));
        let planned = plan("ann", &observed, &settings());
        let found: Vec<_> =
            planned.changes.iter().map(|change| (change.id.as_str(), change.verb)).collect();
        assert_eq!(found, [("ann/shared/skills", Verb::Refuse)]);
    }
}
