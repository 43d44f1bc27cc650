import PMAPI
import Testing

@testable import PMCommands

/// Words that plugins cannot have, and the completion of those that they have.
@Suite struct `Commands of plugins` {
    @Test func `cannot have the name of a command of pm: CommandNames lists all`() {
        #expect(PM.words.subtracting(CommandNames.ofPM) == [])
    }

    @Test func `are completed by each shell`() {
        for (shell, place) in [
            ("bash", "\"${COMP_WORDS[0]}\" plugins"), ("zsh", "\"${command_name}\" plugins"), ("fish", "(pm plugins"),
        ] {
            let line = ["--generate-completion-script", shell]
            do {
                _ = try PM.parseAsRoot(line)
                Issue.record("\(shell) has no script")
            } catch {
                let script = PluginCompletion.extended(PM.fullMessage(for: error), for: line)
                #expect(script.contains("\(place) --commands 2>/dev/null)"), "\(shell)")
            }
        }
        #expect(PluginCompletion.extended("#!/bin/bash", for: ["--help"]) == "#!/bin/bash")
    }
}
