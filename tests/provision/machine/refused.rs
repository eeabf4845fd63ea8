//! Files that are rejected, each with its message; and ground that is not root's.

use crate::support::lacks::lacks;
use crate::support::{Sandbox, run};
use std::os::unix::fs::PermissionsExt;

const SHA: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What `provision host plan` says of a file with this text.
fn complaint(toml: &str) -> String {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.root().join("host.toml"), toml.replace("SHA", SHA)).unwrap();
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_provision"));
    command.current_dir(sandbox.root()).args(["host", "plan", "--root", "."]);
    let run = run(command.args(["--file", "host.toml"])).code(1);
    assert_eq!(run.out(), "");
    run.err().trim_end().to_owned()
}

#[test]
fn every_rejected_file_has_its_message() {
    let path = "expected an absolute path of plain characters, without . and .., found";
    let table: &[(&str, String)] = &[
        ("x = 1", "1: unknown field `x`, expected one of".into()),
        ("[[npm]]\nname = \"a\"\nversion = \"1.0.0\"\nglobal = true", "4: unknown field `global`".into()),
        ("[[npm]]\nname = \"a\"", "1: missing field `version`".into()),
        ("[[npm]]\nname = \"a\"\nversion = 1", "3: invalid type: integer `1`, expected a string".into()),
        ("[packages]\ninstall = [\"jq\"", "2: ".into()),
        ("[packages]\ninstall = [\n \"jq\",\n \"-y\"]", "4: packages.install: expected the name of a Debian package, found '-y'".into()),
        ("[packages]\ninstall = [\"vim-\"]", "2: packages.install: expected the name of a Debian package, found 'vim-'".into()),
        ("[packages]\ninstall = [\"jq\", \"jq=1\"]", "2: packages.install: duplicate 'jq=1'".into()),
        ("[packages]\ninstall = [\"jq=latest\"]", "2: packages.install: expected a Debian version, found 'latest'".into()),
        ("[[npm]]\nname = \"../x\"\nversion = \"1.0.0\"", "2: npm.name: expected the name of an npm package, found '../x'".into()),
        ("[[npm]]\nname = \"x\"\nversion = \"latest\"", "3: npm.version: expected one version (1.2.3): neither a range nor a tag such as 'latest', found 'latest'".into()),
        ("[[npm]]\nname = \"x\"\nversion = \"^1.0.0\"", "3: npm.version: expected one version".into()),
        ("[[npm]]\nname = \"x\"\nversion = \"1.0\"", "3: npm.version: expected one version".into()),
        ("[[npm]]\nname = \"x\"\nversion = \"1.0.0\"\n[[npm]]\nname = \"x\"\nversion = \"2.0.0\"", "5: npm.name: duplicate 'x'".into()),
        ("[[download]]\nurl = \"http://x/y\"\npath = \"/usr/local/bin/y\"\nsha256 = \"SHA\"", "2: download.url: expected https:// (http:// and file:// need insecure = true)".into()),
        ("[[download]]\nurl = \"https://u:hunter2@x/y\"\npath = \"/usr/local/bin/y\"\nsha256 = \"SHA\"", "2: download.url: expected https://HOST/..., without a user".into()),
        ("[[download]]\nurl = \"https://x/y\"\npath = \"usr/local/bin/y\"\nsha256 = \"SHA\"", format!("3: download.path: {path} 'usr/local/bin/y'")),
        ("[[download]]\nurl = \"https://x/y\"\npath = \"/usr/../y\"\nsha256 = \"SHA\"", format!("3: download.path: {path} '/usr/../y'")),
        ("[[download]]\nurl = \"https://x/y\"\npath = \"/home/ann/y\"\nsha256 = \"SHA\"", "3: download.path: /home is not allowed: homes belong to their users".into()),
        ("[[download]]\nurl = \"https://x/y\"\npath = \"/usr/local/bin/y\"\nsha256 = \"12\"", "4: download.sha256: expected the 64 hexadecimal digits of a SHA-256, found '12'".into()),
        ("[[download]]\nurl = \"https://x/y\"\npath = \"/usr/local/bin/y\"\nsha256 = \"SHA\"\nmode = \"4755\"", "5: download.mode: expected octal permission bits within 0755".into()),
        ("[[download]]\nurl = \"https://x/y\"\npath = \"/usr/local/bin/y\"\nsha256 = \"SHA\"\nmax_mb = 0", "5: download.max_mb: expected 1 to 16384".into()),
        ("[[download]]\nurl = \"https://x/y\"\npath = \"/usr/local/bin/y\"\nsha256 = \"SHA\"\nmember = \"../y\"", "5: download.member: expected the name of a file in the archive, without . and .., found '../y'".into()),
        ("[[download]]\nurl = \"https://x/y\"\npath = \"/usr/local/bin/y\"\nsha256 = \"SHA\"\nmember = \"/bin/y\"", "5: download.member: expected the name of a file".into()),
        ("[[download]]\nurl = \"https://x/y\"\npath = \"/usr/local/bin/y\"\nsha256 = \"SHA\"\nmember = \"bin/\"", "5: download.member: expected the name of a file".into()),
        ("[[file]]\npath = \"/etc/passwd\"\ncontent = \"\"", "2: file.path: expected a file of /etc/profile.d or /etc/skel, found '/etc/passwd'".into()),
        ("[[file]]\npath = \"/etc/profile.d/x.sh\"\nmode = \"0755\"\ncontent = \"\"", "3: file.mode: 0755 is allowed below /etc/skel only".into()),
        ("[[file]]\npath = \"/etc/skel/x\"\nmode = \"4755\"\ncontent = \"\"", "3: file.mode: expected \"0644\" or \"0755\", found '4755'".into()),
        ("[[file]]\npath = \"/etc/skel/x\"\nmode = \"0777\"\ncontent = \"\"", "3: file.mode: expected \"0644\" or \"0755\", found '0777'".into()),
        ("[[file]]\npath = \"/etc/skel/x\"", "2: file: expected either 'content' or 'source'".into()),
        ("[[file]]\npath = \"/etc/skel/x\"\ncontent = \"\"\nsource = \"/x\"", "2: file: expected either 'content' or 'source'".into()),
        ("[[sudoers]]\nname = \"a.conf\"\ncontent = \"\"", "2: sudoers.name: expected letters, digits, _ and - (sudo skips other names), found 'a.conf'".into()),
        ("[[sudoers]]\nname = \"a~\"\ncontent = \"\"", "2: sudoers.name: expected letters".into()),
        ("[[secret]]\npath = \"/etc/sudoers.d/x\"\nsource = \"/x\"", "2: secret.path: /etc/sudoers.d is not allowed: use [[sudoers]] for a fragment".into()),
        ("[[secret]]\npath = \"/etc/x\"", "2: secret: expected either 'source', or 'vault' and 'field'".into()),
        ("[[secret]]\npath = \"/etc/x\"\nvault = \"secret/data/x\"\nfield = \"y\"", "3: secret.vault: [vault] is missing".into()),
        ("[vault]\naddress = \"https://v\"\ntoken_file = \"/t\"\n[[secret]]\npath = \"/etc/x\"\nvault = \"secret/x\"\nfield = \"y\"", "6: secret.vault: expected MOUNT/data/NAME".into()),
        ("[[secret]]\npath = \"/etc/x\"\nsource = \"/x\"\nuser = \"a b\"", "4: secret.user: expected the name of an account, found 'a b'".into()),
        ("[vault]\naddress = \"v\"\ntoken_file = \"/t\"", "2: vault.address: expected https://HOST, without a user".into()),
        ("[limits]\nuser_memory_max = \"lots\"", "2: limits.user_memory_max: expected a size (\"12G\") or a share of the memory (\"40%\"), found 'lots'".into()),
        ("[limits]\nuser_memory_high = \"10G\"", "2: unknown field `user_memory_high`".into()),
        ("[limits]\nuser_cpu_weight = 0", "2: limits.user_cpu_weight: expected 1 to 10000".into()),
        ("[[unpack]]\nurl = \"https://x/y\"\npath = \"/home/y\"\nsha256 = \"SHA\"", "3: unpack.path: /home is not allowed".into()),
        ("[[unpack]]\nurl = \"https://x/y\"\npath = \"/opt/y\"\nsha256 = \"SHA\"\nlinks = [\"../y\"]", "5: unpack.links: expected the name of a program in the archive, such as bin/node, found '../y'".into()),
        ("[[unpack]]\nurl = \"https://x/y\"\npath = \"/opt/y\"\nsha256 = \"SHA\"\nlinks = [\"bin/y\", \"sbin/y\"]", "5: unpack.links: /usr/local/bin/y is generated by unpack.links already".into()),
        ("[[unpack]]\nurl = \"https://x/y\"\npath = \"/opt/y\"\nsha256 = \"SHA\"\nmember = \"y\"", "5: unknown field `member`".into()),
        ("[swap]\nsize = \"8\"", "2: swap.size: expected a size from \"64M\" to \"64G\", found '8'".into()),
        ("[swap]\nsize = \"65G\"", "2: swap.size: expected a size from".into()),
        ("[swap]\nsize = \"99999999999999999999G\"", "2: swap.size: expected a size from".into()),
        ("[swap]\nsize = \"8G\"\npath = \"/home/swapfile\"", "3: swap.path: /home is not allowed".into()),
        ("[swap]\npath = \"/swapfile\"", "1: missing field `size`".into()),
        ("[earlyoom]\nmemory_percent = 0", "2: earlyoom.memory_percent: expected 1 to 90".into()),
        ("[earlyoom]\nswap_percent = 91", "2: earlyoom.swap_percent: expected 1 to 90".into()),
        ("[earlyoom]\nprefer = [\n\"a|b\"]", "3: earlyoom.prefer: expected the name of a process: 1 to 15 letters, digits and ._+-, found 'a|b'".into()),
        ("[zsh]\nprofile = 1", "2: invalid type: integer `1`, expected a boolean".into()),
        ("[[tighten]]\npath = \"/home/ops/infra\"", "2: tighten.path: /home is not allowed: homes belong to their users".into()),
        ("[[tighten]]\npath = \"/\"", format!("2: tighten.path: {path} '/'")),
    ];
    for (toml, expected) in table {
        let found = complaint(toml);
        let expected = format!("error: host.toml:{expected}");
        assert!(found.starts_with(&expected), "{toml}\n{found}\n{expected}");
        assert!(!found.contains("hunter2"), "{found}");
    }
}

/// Two parts that write one file undo each other's work at each run.
#[test]
fn lesson_34_no_two_entries_and_no_two_programs_write_one_file() {
    let download = "[[download]]\nurl = \"https://x/y\"\nsha256 = \"SHA\"\npath = ";
    for (toml, expected) in [
        (
            format!("{download}\"/etc/x\"\n[[secret]]\npath = \"/etc/x\"\nsource = \"/y\""),
            "6: secret.path: /etc/x is generated by download.path already",
        ),
        (
            "[[file]]\npath = \"/etc/skel/x\"\ncontent = \"\"\n".repeat(2),
            "5: file.path: /etc/skel/x is generated by file.path already",
        ),
        (
            format!("{download}\"/swapfile\"\n[swap]\nsize = \"8G\""),
            "6: swap.path: /swapfile is generated by download.path already",
        ),
        (
            format!("{download}\"/etc/fstab\""),
            "4: download.path: /etc/fstab is not allowed: [swap] adds its line",
        ),
        (
            format!("{download}\"/etc/default/earlyoom\""),
            "4: download.path: /etc/default/earlyoom is not allowed: [earlyoom] adds its lines",
        ),
        (
            format!("{download}\"/etc/zsh/zshenv\""),
            "4: download.path: /etc/zsh is not allowed: [zsh] adds its lines",
        ),
        (
            format!("{download}\"/etc/ttyd-user-map\""),
            "4: download.path: /etc/ttyd-user-map is not allowed: the roster's plan generates it",
        ),
        (
            format!("{download}\"/etc/systemd/system/user-.slice.d/50-terminal-lobby.conf\""),
            "4: download.path: /etc/systemd/system/user-.slice.d/50-terminal-lobby.conf is not allowed: [limits] generates it",
        ),
    ] {
        let found = complaint(&toml);
        assert!(found.starts_with(&format!("error: host.toml:{expected}")), "{found}");
    }
}

#[test]
fn root_believes_no_file_that_others_could_have_written() {
    if !nix::unistd::geteuid().is_root() {
        return lacks("root_believes_no_file_that_others_could_have_written", "needs root");
    }
    let sandbox = Sandbox::new();
    let file = sandbox.root().join("host.toml");
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    for command in ["plan", "apply"] {
        let mut program = sandbox.command(env!("CARGO_BIN_EXE_provision"));
        let run = run(program.args(["host", command, "--file"]).arg(&file)).code(3);
        assert!(run.err().contains("mode 666: others than root can write it"), "{}", run.err());
    }
}

/// Each key that the example names is one.
#[test]
fn the_example_is_sound_with_every_comment_sign_taken_away() {
    let example = include_str!("../../../units/config/host.toml");
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    let toml: String = example.lines().map(line).collect();
    let sandbox = Sandbox::new();
    for (text, adds) in [(example, 0), (&toml, 17)] {
        std::fs::write(sandbox.root().join("host.toml"), text).unwrap();
        let mut command = sandbox.command(env!("CARGO_BIN_EXE_provision"));
        command.current_dir(sandbox.root()).args(["host", "plan", "--root", "home", "--json"]);
        let run = run(command.args(["--file", "host.toml"])).ok();
        let plan: serde_json::Value = serde_json::from_str(&run.out()).unwrap();
        assert_eq!(plan["tally"]["add"], adds, "{plan}");
    }
}
