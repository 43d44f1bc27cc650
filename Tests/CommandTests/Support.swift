import JSON
import PMTestSupport

extension TestProject {
    /// Runs `pm` with `-o json`, throws unless it succeeds, and reads its output.
    func json(_ arguments: String...) throws -> JSONValue {
        let outcome = try run([TestPaths.pm, "-o", "json"] + arguments)
        guard outcome.code == 0 else { throw TestFailure("pm \(arguments.joined(separator: " ")): \(outcome)") }
        return try JSONValue(parsing: outcome.output)
    }

    /// Runs a shell command on a terminal of its own, so many columns wide; `$PM` is pm.
    func onTerminal(
        _ command: String, columns: Int = 80, adding variables: [String: String] = [:]
    ) throws -> Outcome {
        let words = ["script", "-qec", "stty cols \(columns) rows 24; \(command)", "/dev/null"]
        let own = ["PM": TestPaths.pm, "SHELL": "/bin/sh", "TERM": "xterm"]
        return try run(words, adding: own.merging(variables) { _, new in new })
    }

    /// Writes a script that says what it was given and stays; returns its definition.
    func sleeper(_ name: String = "web") throws -> JSONValue {
        try script("\(name).sh", "echo \"\(name) got $*\"; echo up; exec sleep 1000")
        return ["path": .string("./\(name).sh")]
    }

    /// A mapping whose service is ready once it has written `up`.
    func mapping(_ names: String...) -> JSONValue {
        .object(JSONObject(names.map { ($0, ["container": .string($0), "ready": ["log": "up"]]) }))
    }

    /// Writes a commandable service; returns its definition.
    ///
    /// `value KIND` answers falsy and other values, `fail STATUS` throws, `args` answers its arguments, `greet <who> [--loud]`
    /// has a usage, `who` and `colour` ask questions, `wait` answers never, and notes in `cancelled` that it is cancelled.
    func answering(_ folder: String = "svc") throws -> JSONValue {
        for (name, body) in Self.commands {
            try write("\(folder)/\(name).mjs", "export default function f(a, b) { \(body) }\n")
        }
        let cli: JSONValue = [
            "usage": "greet <who>", "inject": ["params.0", "options.loud"], "options": ["loud": ["needsValue": false]],
        ]
        let colour: JSONValue = [
            "usage": "colour", "inject": ["params.0", "options.shade"], "options": ["shade": ["needsValue": true]],
        ]
        let list: [JSONValue] = [
            Self.command("value", ["params.0"]), Self.command("fail", ["params.0"]), Self.command("args", ["params"]),
            Self.command("greet", ["params.0", "params.1"], cli), Self.command("who", ["params.0"]),
            Self.command("colour", ["params.0", "options.shade"], colour), Self.command("wait", ["signal"]),
        ]
        try write("\(folder)/commands.json", (["name": "svc", "commands": .array(list)] as JSONValue).text)
        return ["path": .string("./\(folder)/commands.json"), "commandable": true]
    }

    private static func command(_ name: String, _ inject: [JSONValue], _ cli: JSONValue? = nil) -> JSONValue {
        var config: JSONObject = ["fs": ["path": .string("./\(name).mjs")], "": ["inject": .array(inject)]]
        if let cli { config["cli"] = cli }
        return ["name": .string(name), "config": .object(config)]
    }

    private static let commands = [
        "value": "return { zero: 0, no: false, empty: '', nil: null, list: [1, { a: 2 }], text: 'two words' }[a]",
        "fail": "throw Object.assign(new Error('it broke'), { statusCode: Number(a) || undefined, code: 'E_BROKE' })",
        "args": "return JSON.stringify(a)", "greet": "return JSON.stringify([a, b])",
        "wait": """
        return new Promise(() => a.addEventListener('abort', () =>
          import('node:fs').then((fs) => fs.appendFileSync('cancelled', '.'))))
        """,
        "who": "if (!a) throw Object.assign(new Error('Who is it?'), { code: 'INTERACT' }); return `hello ${a}`",
        "colour":
            "if (!b) throw Object.assign(new Error('Which?'), { code: 'INTERACT', as: 'shade' }); return `it is ${b}`",
    ]
}

/// The names of an object's members, in order.
func keys(_ json: JSONValue?) -> [String] { (json?.object ?? JSONObject()).map(\.key) }

/// The lines of a text, without the carriage returns that a terminal adds.
func lines(_ text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).map(String.init)
}

/// The columns of the widest line, of text in ASCII and `…`.
func width(_ text: String) -> Int { lines(text).map(\.count).max() ?? 0 }
