import JSON
import PMAPI
import Testing

@testable import PMCommands

/// What can stand at the cursor; Tests/CommandTests/CompletionTests.swift tries it in terminals.
@Suite struct `A completer` {
    /// A world of two services; `night` is one of another daemon.
    private struct World: CompletionNames {
        let options: [String]

        func words(_ source: CompletionSource) -> [CompletionOffer.Word] {
            switch source {
            case .services: (options.isEmpty ? ["api", "web"] : ["night"]).map { .init(text: $0) }
            case .commandable: [.init(text: "api")]
            case .commands: [.init(text: "status"), .init(text: "hello")]
            case .daemon: [.init(text: "pm")]
            case .files: []
            case .runtimes, .plugins, .packages, .settings, .profiles: [.init(text: source.rawValue)]
            }
        }

        func commands(of service: String) -> [CommandMetadata] {
            guard service == "api" else { return [] }
            let cli: JSONValue = ["options": ["loud": ["aliases": ["l"], "doc": "in capitals"]]]
            return [
                CommandMetadata(name: "greet", config: ["cli": cli, "doc": "Says hello"]),
                CommandMetadata(name: "$init", config: [:]),
            ]
        }
    }

    private static let grammar = CommandGrammar.ofPM()

    private func offer(_ words: String...) -> CompletionOffer {
        Completer(grammar: Self.grammar) { World(options: $0) }.offer(words)
    }

    private func texts(_ words: String...) -> [String] {
        Completer(grammar: Self.grammar) { World(options: $0) }.offer(words).words.map(\.text)
    }

    @Test func `offers commands, those of plugins, and services that have commands`() {
        #expect(texts("") == ["status", "hello", "api"])
        #expect(texts("-o", "json", "") == ["status", "hello", "api"])
        #expect(texts("-o", "") == ["table", "json", "cat", "short"])
        #expect(texts("help", "") == ["status", "hello"] && texts("help", "status", "") == [])
    }

    @Test func `offers the commands of a service, their options, and paths behind them`() {
        #expect(offer("api", "") == CompletionOffer(words: [.init(text: "greet", help: "Says hello")]))
        #expect(texts("api", "-") == ["--help"])
        #expect(texts("api", "greet", "-") == ["--loud", "-l", "--help"])
        #expect(texts("call", "--timeout", "5s", "api", "greet", "x", "-") == ["--loud", "-l"])
        #expect(offer("api", "greet", "").paths == .files && offer("api", "greet", "--", "-").paths == .files)
        #expect(offer("api", "greet", "--file=a") == CompletionOffer(paths: .files, prefix: "--file="))
    }

    @Test func `asks the daemon that the line names, before the command or behind it`() {
        #expect(texts("stop", "") == ["api", "web"] && texts("stop", "web", "") == ["api"])
        #expect(texts("--user", "stop", "") == ["night"] && texts("stop", "--config=x", "") == ["night"])
        #expect(texts("--config", "x", "stop", "") == ["night"] && texts("-o", "json", "stop", "") == ["api", "web"])
    }

    @Test func `offers the values of an option in both of its forms, and each option once`() {
        #expect(texts("wait", "web", "--for", "") == ["ready", "exit", "down"])
        #expect(texts("wait", "--for=") == ["--for=ready", "--for=exit", "--for=down"])
        #expect(texts("status", "-o", "") == ["table", "json"])
        #expect(offer("--config=") == CompletionOffer(paths: .files, prefix: "--config="))
        #expect(offer("export", "--to", "").paths == .directories)
        #expect(texts("wait", "-").contains("--for") && !texts("wait", "--for", "exit", "-").contains("--for"))
        #expect(!texts("start", "-").contains("--names"))
    }

    @Test func `knows something of every argument that is no free text`() {
        let free: Set<String> = [
            "name", "instances", "packages", "version", "command", "lines", "since", "until", "grep", "timeout", "env",
            "allow-scripts", "tcp-port", "port", "host", "clients", "allow", "socket-name", "count|all",
        ]
        var unknown: [String] = []
        for command in Self.grammar.commands {
            for option in command.options where option.takesValue && option.values == .unknown {
                unknown += option.names.filter { $0.hasPrefix("--") && !free.contains(String($0.dropFirst(2))) }
            }
        }
        #expect(unknown == [])
    }

    @Test func `gives scripts only words that begin as the current one does`() {
        let offer = CompletionOffer(
            words: [.init(text: "web", help: "a\tb"), .init(text: "api")], paths: .files, prefix: "")
        let lines = offer.lines(current: "w")
        #expect(lines.first == "files\t\tw" && lines.count == 2 && lines[1].hasPrefix("web\ta"))
        #expect(lines[1].split(separator: "\t").count == 2)
    }

    @Test(arguments: [
        ("pm st", ["pm", "st"]), ("pm  stop ", ["pm", "stop", ""]), (#"pm run my\ a"#, ["pm", "run", "my a"]),
        (#"pm log 'a b' "c"#, ["pm", "log", "a b", "c"]), (#"pm x '' "#, ["pm", "x", "", ""]),
        (#"pm "a\"b"'c\'"#, ["pm", #"a"bc\"#]),
    ])
    func `reads the words of a line without their quotes`(line: String, words: [String]) {
        #expect(CompletionRequest.split(line) == words)
        let own = CompletionRequest([CompletionRequest.word, "bash", line])?.words
        #expect(own == Array(words.dropFirst()))
    }

    @Test func `answers only who asks in its form`() {
        #expect(CompletionRequest([CompletionRequest.word, "tcsh", "pm"]) == nil)
        #expect(CompletionRequest([CompletionRequest.word, "zsh"]) == nil && CompletionRequest(["status"]) == nil)
        #expect(CompletionRequest([CompletionRequest.word, "fish", "log", ""])?.words == ["log", ""])
        #expect(CompletionShell(asked: ["--generate-completion-script", "zsh"]) == .zsh)
        #expect(CompletionShell(asked: ["--generate-completion-script=fish"]) == .fish)
        #expect(CompletionShell(asked: ["--help"]) == nil)
    }
}
