import PMAPI
import Testing

@testable import PMCommands

/// Words that plugins cannot have.
@Suite struct `Commands of plugins` {
    @Test func `cannot have the name of a command of pm: CommandNames lists all`() {
        #expect(PM.words.subtracting(CommandNames.ofPM) == [])
    }
}
