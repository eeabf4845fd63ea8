//! Clones, from a roster to homes and on to a workspace, by `provision apply` alone.

use super::{Provisioned, THREE};

const CONFIG: &str = "[provision.code]
infra_remote = 'file:///var/lib/remotes/infra.git'
repo_remote = 'file:///var/lib/remotes/{repo}.git'
allow_file = true
";

fn provisioned(test: &str) -> Option<Provisioned> {
    let here = Provisioned::new(test, THREE)?;
    here.config(CONFIG);
    here.host.sh("export HOME=/root; git config --system safe.directory '*'; cd /root
         git config --global user.name R; git config --global user.email r@x
         for name in infra webapp; do
             git init -q --bare -b main /var/lib/remotes/$name.git
             git clone -q /var/lib/remotes/$name.git $name 2>/dev/null; cd $name
             echo $name >README; git add .; git commit -qm one; git push -q origin HEAD:main; cd ..
         done");
    Some(here)
}

#[test]
fn an_apply_clones_for_each_user_and_then_writes_nothing() {
    const TEST: &str = "an_apply_clones_for_each_user_and_then_writes_nothing";
    let Some(here) = provisioned(TEST) else { return };
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("Applied: 18 added"), "{}", run.out());
    let host = &here.host;
    assert_eq!(
        host.sh(
            "cd /home; cat reader/code/README builder/code/infra/README builder/code/webapp/README"
        ),
        "infra\ninfra\nwebapp\n"
    );
    assert!(host.sh("ls -A /home/ops").trim() == ".profile");
    assert_eq!(
        host.sh("stat -c %U /home/reader/code/README /home/builder/code").trim(),
        "reader\nbuilder"
    );
    here.provision(&["apply"]).ok(); // the first fetch leaves its stamp
    let before = here.files();
    let begin = std::time::Instant::now();
    let run = here.provision(&["apply"]).ok();
    println!("an apply with nothing to do: {:?}", begin.elapsed());
    assert!(run.out().contains("0 added, 0 repaired"), "{}", run.out());
    assert_eq!(here.files(), before);
}

#[test]
fn lesson_36_one_users_clone_that_fails_is_reported_and_the_next_apply_tries_again() {
    const TEST: &str = "lesson_36_one_users_clone_that_fails_is_reported";
    let Some(here) = provisioned(TEST) else { return };
    here.host.sh("mv /var/lib/remotes/webapp.git /var/lib/remotes/away");
    let run = here.provision(&["apply"]).code(1);
    assert!(run.out().contains("1 failed"), "{}", run.out());
    assert_eq!(
        here.host.sh("cd /home; cat reader/code/README builder/code/infra/README"),
        "infra\ninfra\n"
    );
    here.host.sh("mv /var/lib/remotes/away /var/lib/remotes/webapp.git");
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("Applied: 1 added"), "{}", run.out());
    assert_eq!(here.host.sh("cat /home/builder/code/webapp/README"), "webapp\n");
}

#[test]
fn a_row_that_becomes_a_workspace_moves_the_clone_and_its_news_arrive() {
    const TEST: &str = "a_row_that_becomes_a_workspace_moves_the_clone_and_its_news_arrive";
    let Some(here) = provisioned(TEST) else { return };
    here.provision(&["apply"]).ok();
    here.host.sh("cd /home/reader/code; echo mine >notes; chown reader: notes");
    here.host.sh("export HOME=/root; cd /root/infra; echo more >>README; git commit -qam two; git push -q origin HEAD:main");
    let from = "tier: power-user}";
    assert!(THREE.contains(from));
    here.roster(&THREE.replace(from, "tier: power-user, code_layout: workspace, repos: [webapp]}"));
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("1 added, 1 repaired"), "{}", run.out());
    assert!(run.out().contains("reader: infra: 1 commit"), "{}", run.out());
    assert_eq!(
        here.host.sh("cd /home/reader/code; ls -A; cat infra/notes infra/README webapp/README"),
        "infra\nwebapp\nmine\ninfra\nmore\nwebapp\n"
    );
}
