//! Names of files that a browser gave (pure).

/// Maximum length of a name, in bytes: the file system's is 255, and a number may follow.
const MAX_NAME: usize = 200;
/// Of this only the last part that begins with a point is kept when a name is shortened, in bytes.
const MAX_EXTENSION: usize = 20;

/// A name without anything that a shell, a terminal or a path could understand: letters and digits of all scripts,
/// `.`, `_` and `-`, none of which but a letter, a digit or `_` comes first.
pub(super) fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_fit = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fit: String = last.trim().chars().map(|c| if is_fit(c) { c } else { '_' }).collect();
    let fit = match fit.chars().next() {
        None => return "file".to_owned(),
        Some('.' | '-') => format!("_{fit}"),
        Some(_) => fit,
    };
    if fit.len() <= MAX_NAME {
        return fit;
    }
    let (stem, extension) = split(&fit);
    let room = MAX_NAME - extension.len();
    let end = (0..=room).rev().find(|&at| stem.is_char_boundary(at)).unwrap_or(0);
    format!("{}{extension}", &stem[..end])
}

/// The name with a number, for where another file has the name.
pub(super) fn numbered(name: &str, number: u32) -> String {
    let (stem, extension) = split(name);
    format!("{stem}-{number}{extension}")
}

fn split(name: &str) -> (&str, &str) {
    let at = name.rfind('.').filter(|&at| at > 0 && name.len() - at <= MAX_EXTENSION);
    name.split_at(at.unwrap_or(name.len()))
}

/// The type of an image that a browser shows without running anything in it, by its name.
pub(super) fn image_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "gif" => Some("image/gif"),
        "webp" => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_become_plain_ones() {
        for (given, expected) in [
            ("a.png", "a.png"),
            ("Bild vom Tag.png", "Bild_vom_Tag.png"),
            ("日本.txt", "日本.txt"),
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\y.txt", "y.txt"),
            ("..", "_.."),
            (".ssh", "_.ssh"),
            ("-rf", "_-rf"),
            ("a\nb\x1b[31m;rm $(x)`y`'\"", "a_b__31m_rm___x__y___"),
            ("\u{202e}gnp.exe", "_gnp.exe"),
            ("a/", "file"),
            ("  ", "file"),
            ("", "file"),
            ("\0", "_"),
        ] {
            assert_eq!(safe(given), expected, "{given:?}");
        }
        let long = safe(&format!("{}.png", "é".repeat(255)));
        assert!(long.len() <= MAX_NAME && long.ends_with("é.png"), "{long}");
        assert_eq!(safe(&".x".repeat(200)).len(), MAX_NAME);
    }

    #[test]
    fn a_number_comes_before_the_extension() {
        assert_eq!(numbered("a.tar.gz", 2), "a.tar-2.gz");
        assert_eq!(numbered("Makefile", 3), "Makefile-3");
        assert_eq!(numbered("_.ssh", 2), "_-2.ssh");
    }

    #[test]
    fn only_images_that_run_nothing_are_images() {
        assert_eq!(image_type("a.PNG"), Some("image/png"));
        for name in ["a.svg", "png", "a.html", "a"] {
            assert_eq!(image_type(name), None, "{name}");
        }
    }
}
