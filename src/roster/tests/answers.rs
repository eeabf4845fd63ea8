//! An incomplete answer is an error.

use super::super::identity_source::IdentitySource;
use super::super::members::{Member, MembersUnknown, Pages, read};
use proptest::prelude::*;
use serde_json::json;

fn page(current: u64, next: u64, count: u64, names: &[&str]) -> Vec<u8> {
    let users: Vec<_> = names.iter().map(|name| json!({"username": name})).collect();
    json!({
        "pagination": {"next": next, "previous": 0, "count": count, "current": current},
        "results": users,
    })
    .to_string()
    .into_bytes()
}

fn all(pages: &[Vec<u8>]) -> Result<Vec<String>, String> {
    let mut answer = Pages::new("devs", IdentitySource::default());
    let mut pages = pages.iter();
    while answer.next().is_some() {
        let Some(page) = pages.next() else { break };
        answer.add(page).map_err(|unknown| unknown.to_string())?;
    }
    let members = answer.finish().map_err(|unknown| unknown.to_string())?;
    Ok(members.into_iter().map(|member| member.username).collect())
}

#[test]
fn all_pages_must_be_there_and_agree() {
    let good = [page(1, 2, 3, &["a", "b"]), page(2, 0, 3, &["c"])];
    assert_eq!(all(&good).unwrap(), ["a", "b", "c"]);
    for (pages, why) in [
        (vec![page(1, 2, 3, &["a", "b"])], "page 2 is missing"),
        (vec![], "page 1 is missing"),
        (vec![page(1, 0, 3, &["a", "b"])], "2 members, but the count is 3"),
        (
            vec![page(1, 2, 3, &["a", "b"]), page(2, 0, 4, &["c"])],
            "page 2: the count changed from 3 to 4",
        ),
        (vec![page(1, 0, 1, &["a", "b"])], "page 1: more users than the count 1"),
        (vec![page(1, 1, 3, &["a", "b"])], "page 1: invalid next page 1"),
        (vec![page(1, 3, 3, &["a", "b"])], "page 1: invalid next page 3"),
        (vec![page(1, 2, 3, &[])], "page 1: invalid next page 2"),
        (vec![page(2, 0, 1, &["a"])], "page 1: the server answered with another page"),
        (vec![page(1, 2, 3, &["a", "b"]), page(2, 0, 3, &["b"])], "duplicate member 'b'"),
        (vec![page(1, 0, 0, &[])], "the group is empty"),
        (
            vec![page(1, 2, 20_000, &["a"])],
            "page 1: a group of 20000 members; at most 10000 are supported",
        ),
        (vec![page(1, 0, 1, &[""])], "page 1: a member without a username"),
        (vec![b"<html>".to_vec()], "page 1: expected value at line 1 column 1"),
        (vec![b"{\"detail\": \"no\"}".to_vec()], "page 1: missing field `pagination`"),
    ] {
        let error = all(&pages).unwrap_err();
        assert!(error.starts_with(why), "{error}");
    }
}

#[test]
fn a_server_that_ignores_the_group_is_an_error() {
    let user = |group: &str| {
        json!({
            "pagination": {"next": 0.0, "count": 1.0},
            "results": [{"username": "a", "groups_obj": [{"name": group}]}],
        })
        .to_string()
    };
    assert_eq!(all(&[user("devs").into_bytes()]).unwrap(), ["a"]);
    let error = all(&[user("others").into_bytes()]).unwrap_err();
    assert_eq!(error, "page 1: a user is not in the group 'devs'");
}

#[test]
fn a_file_may_hold_names_users_or_an_answer() {
    let member = |username: &str, active, os_user: Option<&str>| Member {
        username: username.to_owned(),
        identity: username.to_owned(),
        is_person: true,
        active,
        os_user: os_user.map(str::to_owned),
    };
    for (text, expected) in [
        (
            json!(["a", {"username": "b"}]),
            vec![member("a", Some(true), None), member("b", None, None)],
        ),
        (
            json!({"count": 1, "members": [{"username": "a", "is_active": false, "os_user": "x"}]}),
            vec![member("a", Some(false), Some("x"))],
        ),
        (
            json!({
                "pagination": {"next": 0, "count": 1},
                "results": [{"username": "a", "is_active": true, "attributes": {"os_user": "x"}}],
            }),
            vec![member("a", Some(true), Some("x"))],
        ),
    ] {
        assert_eq!(
            read(text.to_string().as_bytes(), &IdentitySource::default()).unwrap(),
            expected
        );
    }
    for (text, why) in [
        ("", "the list of members is not valid JSON"),
        ("[", "the list of members is not valid JSON"),
        ("[]", "the group is empty"),
        ("{}", "expected a list 'members'"),
        ("3", "expected a list or an object"),
        ("{\"count\": 2, \"members\": [\"a\"]}", "1 members, but the count is 2"),
        ("[{\"is_active\": true}]", "a member without a username"),
        ("[{\"username\": \"a\", \"is_active\": 1}]", "a member whose is_active"),
        ("[{\"username\": \"a\", \"os_user\": 1}]", "a member whose os_user"),
        ("[\"a\", \"a\"]", "duplicate member 'a'"),
        (
            "{\"results\": [], \"pagination\": {\"next\": 2, \"count\": 1}}",
            "page 1: invalid next page 2",
        ),
    ] {
        let MembersUnknown(error) = read(text.as_bytes(), &IdentitySource::default()).unwrap_err();
        assert!(error.starts_with(why), "{text}: {error}");
    }
}

fn identities(
    text: &serde_json::Value,
    source: &str,
) -> Result<Vec<(String, bool)>, MembersUnknown> {
    let source = IdentitySource::of_name(source).unwrap();
    let members = read(text.to_string().as_bytes(), &source)?;
    Ok(members.into_iter().map(|member| (member.identity, member.is_person)).collect())
}

#[test]
fn the_attribute_that_the_site_chose_is_the_identity() {
    let users = json!([{
        "username": "Emil@example.org", "email": "emil@mail.example", "pk": 7,
        "attributes": {"upn": "emil.b"},
    }]);
    for (source, expected) in [
        ("username", "Emil@example.org"),
        ("local-part", "Emil"),
        ("email", "emil@mail.example"),
        ("attributes.upn", "emil.b"),
        ("pk", "7"),
    ] {
        assert_eq!(identities(&users, source).unwrap(), [(expected.to_owned(), true)], "{source}");
    }
    for source in ["uuid", "attributes.none", "attributes"] {
        let error = identities(&users, source).unwrap_err();
        assert_eq!(error.to_string(), format!("a member 'Emil@example.org' without {source}"));
    }
    for wrong in ["", ".", "a..b", "a b", "\u{e9}"] {
        assert!(IdentitySource::of_name(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn users_that_the_provider_keeps_for_programs_are_told_apart() {
    let of = |kind: serde_json::Value| {
        identities(&json!([{"username": "x", "type": kind}]), "email").map(|found| found[0].1)
    };
    assert!(!of(json!("service_account")).unwrap());
    assert!(!of(json!("internal_service_account")).unwrap());
    assert!(
        of(json!("internal")).is_err() && of(json!(null)).is_err(),
        "a person needs an identity"
    );
    assert!(of(json!(3)).unwrap_err().to_string().contains("whose type is not a text"));
}

proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, &IdentitySource::default());
        let _ = Pages::new("g", IdentitySource::default()).add(&bytes);
    }
}
