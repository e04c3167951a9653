//! The page as HTML and as text. Whatever an operator typed is escaped in the one and cleaned in the other.

use wire::{id::Role, text::Prose};

use super::{Build, PageSource};

/// The builds that can be offered: those whose names can stand in an address and in a command line.
pub(super) fn offered(source: &dyn PageSource) -> Vec<Build> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    let fit = |build: &Build| {
        let begins = build.file.starts_with(|c: char| c.is_ascii_alphanumeric());
        begins && build.file.chars().all(plain) && build.file != "SHA256SUMS"
    };
    source.builds().into_iter().filter(fit).collect()
}

/// The digests, as `sha256sum -c` reads them.
pub(super) fn sums(builds: &[Build]) -> String {
    builds.iter().map(|build| format!("{}  {}\n", build.sha256, build.file)).collect()
}

/// The whole page.
pub(super) fn page(source: &dyn PageSource, url: &str, html: bool) -> String {
    let shown = Shown {
        center: source.center(),
        guides: [Role::Member, Role::Store].map(|role| source.guide(role)),
        invitation: source.invitation(),
        builds: offered(source),
        url,
    };
    if html { shown.html() } else { shown.text() }
}

struct Shown<'a> {
    center: String,
    guides: [(String, String); 2],
    invitation: String,
    builds: Vec<Build>,
    url: &'a str,
}

/// What must be said beside an invitation that was found on a page.
const BELIEVE: &str = "The invitation names the center's key, and your terminal believes no other.\n\
    Compare it, and the digests below, with what the center told you in another\n\
    way: on paper, by telephone, at its counter.";

impl Shown<'_> {
    fn text(&self) -> String {
        let mut text = heading(&self.center, '=');
        for (title, words) in &self.guides {
            text += &format!("\n{}\n{}\n", heading(title, '-'), clean(words).trim_end());
        }
        text += &format!("\n{}\n{}\n\n{BELIEVE}\n", heading("Invitation", '-'), clean(&self.invitation));
        text += &format!("\n{}", heading("The program", '-'));
        if self.builds.is_empty() {
            text += "\nNo build is offered here at present.\n";
        }
        for build in &self.builds {
            text += &format!("\n{}\n  {}\n", clean(&label(build)), install(self.url, build));
        }
        if !self.builds.is_empty() {
            text += &format!("\nAll digests: {}/kit/SHA256SUMS\n", self.url);
        }
        text
    }

    fn html(&self) -> String {
        let mut body = format!("<h1>{}</h1>\n", escaped(&self.center));
        for (title, words) in &self.guides {
            body += &format!(
                "<h2>{}</h2>\n<div class=\"text\">{}</div>\n",
                escaped(title),
                escaped(words.trim_end())
            );
        }
        body += &format!(
            "<h2>Invitation</h2>\n<pre>{}</pre>\n<p>{}</p>\n<h2>The program</h2>\n",
            escaped(&self.invitation),
            escaped(BELIEVE)
        );
        if self.builds.is_empty() {
            body += "<p>No build is offered here at present.</p>\n";
        }
        for build in &self.builds {
            body += &format!(
                "<h3><a href=\"/kit/{}\">{}</a></h3>\n<pre>{}</pre>\n",
                escaped(&build.file),
                escaped(&label(build)),
                escaped(&install(self.url, build))
            );
        }
        if !self.builds.is_empty() {
            body += "<p><a href=\"/kit/SHA256SUMS\">All digests</a></p>\n";
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n\
             <style>body{{max-width:46rem;margin:2rem auto;padding:0 1rem;font-family:sans-serif;line-height:1.5}}\
             .text{{white-space:pre-wrap}}pre{{white-space:pre-wrap;overflow-wrap:anywhere;padding:.5rem;\
             border:1px solid}}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
            escaped(&self.center)
        )
    }
}

/// One command line: fetches, resumes what was begun, and goes on only if the digest is right. Whether `curl` ended
/// well is not asked, for it fails where the file is whole already; the digest decides.
fn install(url: &str, build: &Build) -> String {
    let (file, sum) = (&build.file, build.sha256);
    format!("curl -fL -C - -O {url}/kit/{file}; echo '{sum}  {file}' | sha256sum -c - && chmod +x {file}")
}

fn label(build: &Build) -> String {
    format!("{} {} for {}, {} bytes", build.program, build.version, build.platform, build.length)
}

fn heading(text: &str, under: char) -> String {
    let text = clean(text).replace('\n', " ");
    let line: String =
        std::iter::repeat_n(under, unicode_width::UnicodeWidthStr::width(text.as_str())).collect();
    format!("{text}\n{line}\n")
}

/// Without what could harm a terminal; paragraph by paragraph, for one text may be longer than a message's.
fn clean(text: &str) -> String {
    let line = |line: &str| Prose::new(line).map(|line| line.to_string()).unwrap_or_default();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
