use super::*;
use crate::provision::host_base::observed::SwapFacts;
use crate::provision::host_base::plan::plan;
use crate::provision::host_base::spec::Swap;
use crate::provision::observe::Unreadable;

const SIZE: u64 = 8 << 30;

fn spec() -> HostSpec {
    HostSpec {
        swap: Some(Swap { path: "/swapfile".to_owned(), size: SIZE }),
        ..HostSpec::default()
    }
}

fn file(mode: u32, size: u64) -> SwapFile {
    let attributes = Attributes { uid: 0, gid: 0, mode };
    SwapFile::File { size, attributes, has_signature: true }
}

fn new() -> SwapFacts {
    SwapFacts {
        file: SwapFile::Absent,
        is_active: false,
        fstab: Ok(FstabEntry::Absent),
        obstacle: None,
    }
}

/// Each change with its verb and its lines, or why it is not carried out.
fn planned(facts: SwapFacts) -> Vec<String> {
    let observed = Observed { swap: Some(facts), ..Observed::default() };
    let changes = plan(&spec(), &observed).changes.into_iter();
    let shown = changes.map(|change| {
        let verb = format!("{:?}", change.verb);
        if change.verb.changes() {
            format!("{verb} {}", change.lines.join(", "))
        } else {
            format!("{verb} {}", change.why)
        }
    });
    shown.collect()
}

const LINE: &str = "+ /etc/fstab: /swapfile none swap sw,nofail 0 0";

#[test]
fn only_what_is_missing_of_a_swap_file_is_done() {
    let all = format!("Add + a file of 8 GiB, + swapon, {LINE}");
    assert_eq!(planned(new()), [all]);
    let made = SwapFacts { file: file(0o600, SIZE), ..new() };
    assert_eq!(planned(made.clone()), [format!("Repair + swapon, {LINE}")]);
    let on = SwapFacts { is_active: true, ..made };
    assert_eq!(planned(on.clone()), [format!("Repair {LINE}")]);
    let done = SwapFacts { fstab: Ok(FstabEntry::Swap), ..on };
    assert_eq!(planned(done.clone()), [""; 0]);
    // An obstacle to making it does not matter once it is there and on.
    let obstacle = Some("the disk is full".to_owned());
    assert_eq!(planned(SwapFacts { obstacle: obstacle.clone(), ..done }), [""; 0]);
    assert_eq!(planned(SwapFacts { obstacle, ..new() }), ["Refuse the disk is full"]);
}

#[test]
fn a_swap_file_is_never_resized_and_nothing_of_others_is_overwritten() {
    let done = SwapFacts { is_active: true, fstab: Ok(FstabEntry::Swap), ..new() };
    for (file, expected) in [
        (file(0o600, 4 << 30), "Report of another size: a swap file is never resized or removed"),
        (file(0o644, SIZE), "Repair "),
        (
            SwapFile::File {
                size: SIZE,
                attributes: Attributes { uid: 0, gid: 0, mode: 0o600 },
                has_signature: false,
            },
            "Refuse a file, but no swap: not overwritten",
        ),
        (
            SwapFile::File {
                size: SIZE,
                attributes: Attributes { uid: 1000, gid: 0, mode: 0o600 },
                has_signature: true,
            },
            "Refuse belongs to uid 1000, not to root",
        ),
        (SwapFile::Refused("a link: not followed".to_owned()), "Refuse a link: not followed"),
    ] {
        assert_eq!(planned(SwapFacts { file, ..done.clone() }), [expected]);
    }
    let other = FstabEntry::Other("/swapfile /mnt ext4 loop 0 0".to_owned());
    for (fstab, expected) in [
        (Ok(other), "Refuse /etc/fstab has it as something else: /swapfile /mnt ext4 loop 0 0"),
        (
            Ok(FstabEntry::Disabled),
            "Report its line in /etc/fstab is a comment: a person wants it no longer",
        ),
        (
            Err(Unreadable("/etc/fstab: a link: not followed".to_owned())),
            "Refuse /etc/fstab: a link: not followed",
        ),
    ] {
        assert_eq!(planned(SwapFacts { fstab, ..new() }), [expected]);
    }
}

#[test]
fn one_that_is_no_longer_wanted_stays_and_is_named_until_it_is_gone() {
    let mut observed = Observed::default();
    observed.record.made.insert("swap//swapfile".to_owned(), SIZE.to_string());
    observed.left.insert("/swapfile".to_owned());
    let found = plan(&HostSpec::default(), &observed);
    assert_eq!(found.changes.len(), 1);
    assert!(!found.changes[0].verb.changes() && found.changes[0].hint.is_some());
    observed.left.clear();
    let found = plan(&HostSpec::default(), &observed);
    assert!(found.changes.is_empty() && found.record.made.is_empty());
}
