import ArgumentParser
import Testing

@testable import PMCommands

/// The examples in the help of each command.
@Suite struct `Examples of commands` {
    private static let commands = PM.configuration.groupedSubcommands.flatMap(\.subcommands)

    @Test func `are there, and mean that command to the parser`() throws {
        for command in Self.commands {
            let name = try #require(command.configuration.commandName)
            let lines = Self.examples(of: command)
            #expect((1...5).contains(lines.count), "\(name) has \(lines.count)")
            for line in lines {
                let words = Self.words(of: line)
                #expect(words.first == "pm", "\(line)")
                let parsed = try Self.parsed(Array(words.dropFirst()), line)
                #expect(parsed.map { type(of: $0) == command } == true, "\(line)")
            }
        }
    }

    @Test func `of pm itself are there`() throws {
        let lines = Self.examples(of: PM.self)
        #expect(!lines.isEmpty)
        for line in lines { #expect(try Self.parsed(Array(Self.words(of: line).dropFirst()), line) is any PMCommand) }
    }

    @Test func `that are wrong would be found`() throws {
        #expect(throws: (any Error).self) { try PM.parseAsRoot(["status", "--nonsense"]) }
        #expect(Self.words(of: "pm log 'web*' --grep 'a b'  two lines") == ["pm", "log", "web*", "--grep", "a b"])
        #expect(Self.words(of: "pm types > services.d.ts") == ["pm", "types"])
    }

    private static func parsed(_ words: [String], _ line: String) throws -> (any ParsableCommand)? {
        do {
            return try PM.parseAsRoot(CommandLineNormalizer(commands: PM.words).normalized(words))
        } catch {
            Issue.record("\(line): \(PM.message(for: error))")
            return nil
        }
    }

    /// The lines of the section EXAMPLES.
    private static func examples(of command: any ParsableCommand.Type) -> [String] {
        let parts = "\n\(command.configuration.discussion)".split(
            separator: "\nEXAMPLES\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return [] }
        return parts[1].split(separator: "\n").map { String($0.drop { $0 == " " }) }
    }

    /// The words of a line for pm: two spaces begin a remark, and what follows a sign of the shell is not for pm.
    private static func words(of line: String) -> [String] {
        let text = line.split(separator: "  ", maxSplits: 1).first.map(String.init) ?? ""
        return Array(CompletionRequest.split(text).prefix { ![">", "|", "&&"].contains($0) })
    }
}
