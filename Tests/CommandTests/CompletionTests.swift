import Glibc
import JSON
import PMTestSupport
import Testing

/// Completion in a real terminal, by the scripts that are installed.
@Suite(.serialized) struct `Completion` {
    @Test(.enabled(if: Shell.bash.isThere, "bash is not installed")) func `of bash`() async throws {
        try await Self.complete(.bash)
    }

    @Test(.enabled(if: Shell.zsh.isThere, "zsh is not installed")) func `of zsh`() async throws {
        try await Self.complete(.zsh)
    }

    @Test(.enabled(if: Shell.fish.isThere, "fish is not installed")) func `of fish`() async throws {
        try await Self.complete(.fish)
    }

    /// What is typed before the Tab key, and the line behind it. Services are those of the file.
    private static let withoutDaemon = [
        "pm disc": "pm discover", "pm help sca": "pm help scale", "pm stop we": "pm stop web",
        "pm scale we": "pm scale web", "pm restart @ac": "pm restart @acme/db", "pm start p": "pm start pm",
        "pm start web @": "pm start web @acme/db", "pm reload-metadata sho": "pm reload-metadata shop",
        "pm call sho": "pm call shop", "pm sho": "pm shop", "pm --user sta": "pm --user sta",
        "pm status -o j": "pm status -o json", "pm log --output c": "pm log --output cat",
        "pm status --col": "pm status --color", "pm wait web --for ex": "pm wait web --for exit",
        "pm wait --for=ex": "pm wait --for=exit", "pm log --priority w": "pm log --priority warning",
        "pm map x y --runtime wo": "pm map x y --runtime worker", "pm map x y -r do": "pm map x y -r docker",
        "pm get web limi": "pm get web limits", "pm connect web tc": "pm connect web tcp",
        "pm check --profile st": "pm check --profile staging",
        "pm run ./scr": "pm run ./script.sh", "pm start ./scr": "pm start ./script.sh",
        "pm dev scr": "pm dev script.sh", "pm map x ./scr": "pm map x ./script.sh",
        "pm do work": "pm do workflow.json", "pm check ./my": #"pm check ./my\ file.json"#,
        "pm discover fold": "pm discover folder/", "pm --config ./oth": "pm --config ./other.json",
        "pm status --config=./oth": "pm status --config=./other.json",
        "pm start --env-file ./scr": "pm start --env-file ./script.sh",
        "pm --config ./other.json stop n": "pm --config ./other.json stop night",
        // Nothing fits.
        "pm status -o c": "pm status -o c", "pm help we": "pm help we",
    ]

    /// Commands of a service that runs.
    private static let withDaemon = [
        "pm shop gree": "pm shop greet", "pm shop greet --lo": "pm shop greet --loud",
        "pm call shop gre": "pm call shop greet",
        "pm call shop greet --lo": "pm call shop greet --loud", "pm shop greet ./scr": "pm shop greet ./script.sh",
        "pm history we": "pm history web", "pm shop --h": "pm shop --help",
    ]

    private static func complete(_ shell: Shell) async throws {
        try await TestProject.with { project in
            try prepare(project)
            let screen = try shell.open(project)
            defer { screen.close() }
            for (typed, line) in withoutDaemon { try expect(line, of: typed, screen) }
            try list(screen)
            try project.startDaemon()
            try project.must("start", "shop", "--wait")
            for (typed, line) in withDaemon { try expect(line, of: typed, screen) }
        }
    }

    private static func prepare(_ project: TestProject) throws {
        try project.script("script.sh", "exec sleep 1000")
        try project.write("workflow.json", "{}")
        try project.write("my file.json", "{}")
        try project.write("folder/file", "")
        try project.write("other.json", #"{"containers": {"night": {"path": "./script.sh"}}}"#)
        let file: JSONValue = [
            "containers": [
                "web": ["path": "./script.sh"], "@acme/db": ["path": "./script.sh"], "shop": try project.answering(),
            ],
            "profiles": ["staging": ["mapping": [:]]],
        ]
        try project.write(".pm.config.json", file.text)
    }

    /// Types, presses the Tab key, and waits for the line.
    private static func expect(_ line: String, of typed: String, _ screen: TerminalScreen) throws {
        try clear(screen, for: typed)
        try screen.type(typed + "\t", endsLine: false)
        if typed != line {
            try until("\(typed) becomes \(line): \(screen.text)", seconds: 10) {
                lines(screen.text).contains { $0.filter { $0 != " " } == "$\(line)".filter { $0 != " " } }
            }
        }
        try finish(line, screen)
    }

    /// Clears the screen; its first line tells that it is not the one of before.
    private static func clear(_ screen: TerminalScreen, for typed: String) throws {
        try screen.type("clear; echo 'next: \(typed)'")
        try until("the screen is empty: \(screen.text)") { lines(screen.text) == ["next: \(typed)", "$"] }
    }

    /// Types one more letter, which stands behind the line when the shell has done all it does, and empties the line.
    private static func finish(_ line: String, _ screen: TerminalScreen) throws {
        try screen.type("X", endsLine: false)
        try until("the line is \(line) in the end: \(screen.text)", seconds: 10) {
            lines(screen.text).contains { $0.filter { $0 != " " } == "$\(line)X".filter { $0 != " " } }
        }
        try screen.type("\u{15}", endsLine: false)
    }

    /// Several words that fit are all shown.
    private static func list(_ screen: TerminalScreen) throws {
        try clear(screen, for: "pm sta")
        try screen.type("pm sta\t", endsLine: false)
        try until("both commands are shown: \(screen.text)") {
            let words = screen.text.split { $0 == " " || $0.isNewline }
            return words.contains("start") && words.contains("status")
        }
        try finish("pm sta", screen)
    }

    /// A shell, set up as an installation does it.
    enum Shell: String {
        case bash
        case zsh
        case fish

        /// True where the shell is installed.
        var isThere: Bool {
            let path = getenv("PATH").map { String(cString: $0) } ?? ""
            return path.split(separator: ":").contains { access("\($0)/\(rawValue)", X_OK) == 0 }
        }

        fileprivate func open(_ project: TestProject) throws -> TerminalScreen {
            let script = try project.must("--generate-completion-script", rawValue)
            let path = "PATH='\(TestPaths.stage)/bin':$PATH"
            let (words, setup): ([String], String)
            switch self {
            case .bash:
                try project.write("shell/pm", script)
                words = ["bash", "--norc", "--noprofile"]
                setup = "\(path); bind 'set show-all-if-ambiguous on'; PS1='$ '; . shell/pm"
            case .zsh:
                try project.write("shell/_pm", script)
                words = ["zsh", "-f"]
                setup = "\(path); PS1='$ '; fpath=($PWD/shell $fpath); autoload -Uz compinit; compinit -u -D"
            case .fish:
                try project.write("../home/.config/fish/completions/pm.fish", script)
                words = ["fish", "--private"]
                setup =
                    "set -g fish_autosuggestion_enabled 0; set PATH '\(TestPaths.stage)/bin' $PATH; function fish_prompt; echo -n '$ '; end"
            }
            let screen = try TerminalScreen(project, columns: 160, rows: 50, shell: words)
            try screen.type(setup)
            return screen
        }
    }
}
