//! Settings of every shape get our hook once and come back byte by byte.

use super::*;
use proptest::prelude::*;
use serde_json::Value;

const OURS: HookCommand<'static> =
    HookCommand { events: &["Stop", "SessionEnd"], command: "ours 2", timeout: 5, is_ours };

fn is_ours(command: &str) -> bool {
    command.starts_with("ours ")
}

fn hooks(text: &str) -> Value {
    serde_json::from_str::<Value>(text).unwrap()["hooks"].clone()
}

/// Files of all kinds: each as it was before, and how often others' hooks are in it.
const FILES: [&str; 15] = [
    "{}",
    "{\n}\n",
    "{ }\n",
    "{\n}",
    r#"{"theme":"dark","spinnerTipsEnabled":false}"#,
    "{\n  \"theme\": \"dark\"\n}\n",
    "{\n\t\"theme\": \"dark\",\n\t\"a\": {\"hooks\": 1}\n}\n",
    "{\r\n    \"theme\": \"dark\"\r\n}\r\n",
    r#"{"hooks":{}}"#,
    r#"{"hooks":{ },"z":1}"#,
    r#"{"hooks":{"Stop":[]}}"#,
    r#"{"hooks":{"Stop":[ ],"SessionEnd":[{"hooks":[]}]}}"#,
    r#"{"hooks":{"Stop":[{"matcher":"x","hooks":[{"type":"command","command":"theirs"}]}]}}"#,
    "{\n  \"hooks\": {\n    \"Stop\": [\n      {\n        \"hooks\": []\n      }\n    ]\n  },\n  \"b\": \"\\u00e9 \u{1f600}\"\n}\n",
    r#"{"a":"]}\"{[","hooks":{"PreToolUse":[{"hooks":[{"command":"x, \"y\""}]}]}}"#,
];

#[test]
fn every_file_gets_ours_once_and_comes_back_byte_by_byte() {
    for before in FILES {
        let installed = install(Some(before), &OURS).unwrap();
        assert_eq!(install(Some(&installed), &OURS).unwrap(), installed, "idempotent");
        for event in OURS.events {
            let groups = hooks(&installed)[event].as_array().unwrap().clone();
            assert_eq!(groups.last().unwrap(), &group(&OURS), "{installed}");
            assert_eq!(groups.iter().filter(|each| **each == group(&OURS)).count(), 1);
        }
        assert_eq!(uninstall(&installed, &OURS).unwrap().as_deref(), Some(before));
        assert_eq!(uninstall(before, &OURS).unwrap().as_deref(), Some(before));
    }
}

#[test]
fn a_file_of_ours_alone_appears_and_goes() {
    let installed = install(None, &OURS).unwrap();
    assert!(installed.starts_with("{\n  \"hooks\": {\n    \"Stop\": [\n      {\n"));
    assert_eq!(install(Some(&installed), &OURS).unwrap(), installed);
    assert_eq!(uninstall(&installed, &OURS).unwrap(), None);
}

#[test]
fn what_changed_meanwhile_stays() {
    let installed = install(Some(FILES[5]), &OURS).unwrap();
    // The agent writes its settings anew; the user adds hooks behind and beside ours.
    let mut value: Value = serde_json::from_str(&installed).unwrap();
    value["hooks"]["Stop"].as_array_mut().unwrap().push(json!({"hooks": [{"command": "z"}]}));
    let entries = value["hooks"]["SessionEnd"][0]["hooks"].as_array_mut().unwrap();
    entries.insert(0, json!({"command": "y"}));
    value["new"] = json!(1);
    let left = uninstall(&value.to_string(), &OURS).unwrap().unwrap();
    let expected = json!({"theme": "dark", "new": 1, "hooks": {
        "Stop": [{"hooks": [{"command": "z"}]}],
        "SessionEnd": [{"hooks": [{"command": "y"}]}]}});
    assert_eq!(serde_json::from_str::<Value>(&left).unwrap(), expected);
}

#[test]
fn an_older_command_of_ours_is_replaced() {
    let old = HookCommand { command: "ours 1", ..OURS };
    let installed = install(Some(FILES[12]), &old).unwrap();
    let updated = install(Some(&installed), &OURS).unwrap();
    assert_eq!(updated, install(Some(FILES[12]), &OURS).unwrap());
}

#[test]
fn what_does_not_parse_or_has_another_shape_is_refused() {
    for text in [
        "",
        "{",
        "\u{feff}{}",
        "// settings\n{}",
        "[]",
        r#"{"hooks":[]}"#,
        r#"{"hooks":{"Stop":{}}}"#,
        r#"{"hooks":{},"hooks":{}}"#,
        r#"{"hooks":{"Stop":[],"\u0053top":[]}}"#,
    ] {
        assert!(install(Some(text), &OURS).is_err(), "{text}");
        assert!(uninstall(text, &OURS).is_err(), "{text}");
    }
    let error = install(Some("{\n\n x"), &OURS).unwrap_err();
    assert!(error.to_string().starts_with("line 3: "), "{error}");
}

/// Settings of any shape, pretty or not, with hooks of others in them.
fn settings() -> impl Strategy<Value = String> {
    let text = "[a-z\"\\\\{}\\[\\],: é]{0,6}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        text.prop_map(Value::from)
    ];
    let value = leaf.prop_recursive(3, 20, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((text, inner), 0..4)
                .prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    });
    let group = proptest::collection::vec(value.clone(), 0..3);
    let lists = proptest::collection::vec(
        (prop_oneof![Just("Stop".to_owned()), Just("SessionEnd".to_owned()), text.boxed()], group),
        0..4,
    );
    let others = proptest::collection::vec((text, value), 0..3);
    (others.clone(), proptest::option::of(lists), others, any::<bool>()).prop_map(
        |(before, hooks, after, pretty)| {
            let mut all: serde_json::Map<_, _> = before.into_iter().collect();
            if let Some(lists) = hooks {
                let lists = lists.into_iter().map(|(name, list)| (name, Value::from(list)));
                all.insert("hooks".to_owned(), Value::Object(lists.collect()));
            }
            all.extend(after.into_iter().filter(|(name, _)| name != "hooks"));
            let all = Value::Object(all);
            if pretty { serde_json::to_string_pretty(&all).unwrap() } else { all.to_string() }
        },
    )
}

proptest! {
    #[test]
    fn any_settings_come_back_byte_by_byte(before in settings()) {
        let installed = install(Some(&before), &OURS).unwrap();
        prop_assert_eq!(&install(Some(&installed), &OURS).unwrap(), &installed);
        let after = uninstall(&installed, &OURS).unwrap();
        prop_assert_eq!(after, Some(before));
    }
}
