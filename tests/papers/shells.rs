//! Completions for three shells: commands, what comes behind them, options, and files for --config.

use crate::definition::{Command, Opt, everywhere};
use std::fmt::Write;

const HEAD: &str = "written by tests/papers from the command line's own definition";

/// Whether a file's name stands behind it, which a shell can complete; other values it cannot know.
fn is_file(option: &Opt) -> bool {
    option.value.as_deref() == Some("FILE")
}

/// The commands, parted by spaces.
fn names(commands: &[Command]) -> String {
    words(commands.iter().map(|command| command.name.to_owned()))
}

fn words(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

/// All ways to type these options.
fn spelled(options: &[Opt]) -> String {
    words(options.iter().flat_map(|option| {
        option.short.map(|short| format!("-{short}")).into_iter().chain([format!("--{}", option.long)])
    }))
}

/// The options, of any command, behind which a value stands; each once.
fn with_values(commands: &[Command], file: bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for option in commands.iter().flat_map(|command| &command.options) {
        let typed = format!("--{}", option.long);
        if option.value.is_some() && is_file(option) == file && !found.contains(&typed) {
            found.push(typed);
        }
    }
    found
}

pub fn bash(commands: &[Command]) -> String {
    let (files, values) = (with_values(commands, true).join("|"), with_values(commands, false).join("|"));
    let mut text = format!("# bash completion for ackd; {HEAD}\n\n_ackd() {{\n");
    // Where `=` parts words, as it usually does, `--config=FILE` comes as three.
    text.push_str(
        "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words= command= action= at\n",
    );
    text.push_str("  if [[ $word == = ]]; then\n    word=\n  elif [[ $before == = ]]; then\n");
    text.push_str("    before=${COMP_WORDS[COMP_CWORD - 2]}\n  fi\n");
    writeln!(text, "  case $before in\n    {files})\n      compopt -o filenames 2> /dev/null").unwrap();
    text.push_str("      mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n      return\n      ;;\n");
    writeln!(text, "    {values}) return ;;\n  esac\n  for ((at = 1; at < COMP_CWORD; at++)); do").unwrap();
    writeln!(text, "    case ${{COMP_WORDS[at]}} in\n      {files}|{values})").unwrap();
    text.push_str("        [[ ${COMP_WORDS[at + 1]} != = ]] || ((at++))\n        ((at++))\n        ;;\n      -*) ;;\n");
    text.push_str(
        "      *) if [[ -z $command ]]; then command=${COMP_WORDS[at]}; else action=${COMP_WORDS[at]}; fi ;;\n",
    );
    text.push_str("    esac\n  done\n  case $command in\n");
    let everywhere = spelled(&everywhere());
    writeln!(text, "    '') words='{} help {everywhere}' ;;", names(commands)).unwrap();
    writeln!(text, "    help) [[ -n $action ]] || words='{}' ;;", names(commands)).unwrap();
    for command in commands {
        write!(text, "    {}) words='{}'", command.name, spelled(&command.options)).unwrap();
        if !command.actions.is_empty() {
            write!(text, "\n      [[ -n $action ]] || words=\"{} $words\"\n     ", command.actions.join(" ")).unwrap();
        }
        text.push_str(" ;;\n");
    }
    text.push_str(
        "  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\ncomplete -F _ackd ackd\n",
    );
    text
}

pub fn zsh(commands: &[Command]) -> String {
    let mut text =
        format!("#compdef ackd\n# {HEAD}\n\n_ackd() {{\n  local curcontext=\"$curcontext\" state state_descr line\n");
    text.push_str("  typeset -A opt_args\n  local -a commands=(\n");
    for command in commands {
        writeln!(text, "    {}", quoted(&format!("{}:{}", command.name, command.about.replace(':', "\\:")))).unwrap();
    }
    text.push_str("    'help:the help of a command'\n  )\n  _arguments -C -A '-*' \\\n");
    everywhere().iter().for_each(|option| text.push_str(&zsh_option(option)));
    text.push_str("    '1:command:->command' \\\n    '*::word:->word' && return\n  case $state in\n");
    text.push_str("    command) _describe command commands ;;\n    word)\n      case $words[1] in\n");
    text.push_str("        help) _arguments '1:command:->command' && return; _describe command commands ;;\n");
    for command in commands {
        writeln!(text, "        {})\n          _arguments \\", command.name).unwrap();
        command.options.iter().for_each(|option| text.push_str(&zsh_option(option).replace("    '", "            '")));
        let rest = match command.actions.join(" ") {
            actions if actions.is_empty() => "            '*:word:()'\n".to_owned(),
            actions => format!("            '1:action:({actions})' \\\n            '*:word:()'\n"),
        };
        writeln!(text, "{rest}          ;;").unwrap();
    }
    text.push_str("      esac\n      ;;\n  esac\n}\n\nif [[ $funcstack[1] == _ackd ]]; then\n  _ackd \"$@\"\nelse\n");
    text.push_str("  compdef _ackd ackd\nfi\n");
    text
}

/// One line of `_arguments`. Where there are two ways to type it, either rules the other out.
fn zsh_option(option: &Opt) -> String {
    let about = option.about.replace('[', "(").replace(']', ")").replace(':', "\\:");
    let value = option.value.as_ref().map(|value| {
        let of = if is_file(option) { "_files" } else { " " };
        format!(":{}:{of}", value.replace(':', "\\:"))
    });
    let equals = if value.is_some() { "=" } else { "" };
    let value = value.unwrap_or_default();
    let mut ways = vec![format!("--{}{equals}", option.long)];
    ways.extend(option.short.map(|short| format!("-{short}")));
    // That more should be said may be said more than once.
    let lead =
        if option.long == "verbose" { "*".to_owned() } else { format!("({})", spelled(std::slice::from_ref(option))) };
    let line = |way: &String| format!("    {} \\\n", quoted(&format!("{lead}{way}[{about}]{value}")));
    ways.iter().map(line).collect()
}

/// In single quotes, as both shells read them.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

pub fn fish(commands: &[Command]) -> String {
    let mut text = format!("# fish completion for ackd; {HEAD}\n\ncomplete -c ackd -f\n");
    let mut line = |words: &str, about: &str| {
        let about = about.replace('\\', "\\\\").replace('\'', "\\'");
        writeln!(text, "complete -c ackd {words} -d '{about}'").unwrap();
    };
    everywhere().iter().for_each(|option| line(&fish_option(option), &option.about));
    for command in commands {
        line(&format!("-n __fish_use_subcommand -a {}", command.name), &command.about);
    }
    line("-n __fish_use_subcommand -a help", "the help of a command");
    for command in commands {
        line(&format!("-n '__fish_seen_subcommand_from help' -a {}", command.name), &command.about);
    }
    for command in commands {
        let seen = format!("-n '__fish_seen_subcommand_from {}", command.name);
        let own = command.options.iter().filter(|option| !everywhere().contains(option));
        own.for_each(|option| line(&format!("{seen}' {}", fish_option(option)), &option.about));
        let actions = command.actions.join(" ");
        let unsaid = format!("{seen}; and not __fish_seen_subcommand_from {actions}'");
        command.actions.iter().for_each(|action| line(&format!("{unsaid} -a {action}"), ""));
    }
    text
}

fn fish_option(option: &Opt) -> String {
    let short = option.short.map(|short| format!("-s {short} ")).unwrap_or_default();
    let value = match &option.value {
        Some(_) if is_file(option) => " -r -F",
        Some(_) => " -x",
        None => "",
    };
    format!("{short}-l {}{value}", option.long)
}
