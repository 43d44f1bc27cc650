import JSON
import PMAPI
import PMMigration
import PMModel

/// The result of an import, for people and for programs.
struct ImportReport {
    let change: MigrationChange
    let target: MigrationTarget
    let isPlan: Bool

    func tell(_ session: CommandContext) {
        switch session.format {
        case .json: session.output.line(json.text)
        case .table: tellTable(session)
        }
        for note in change.result.notes { session.note(DisplayWidth.printable(note)) }
    }

    private func tellTable(_ session: CommandContext) {
        let verb = isPlan ? "would write" : "wrote"
        session.output.line(DisplayWidth.printable("\(verb) \(target.location.configFile)"))
        for file in change.files { session.output.line(DisplayWidth.printable("\(verb) \(file.path)")) }
        for service in change.services {
            session.output.line(DisplayWidth.printable("\(service.kind.rawValue) \(service.name)"))
        }
        let fields = change.result.migration.fields
        if !fields.isEmpty {
            var table = Table([.init(title: "SERVICE"), .init(title: "FIELD"), .init(title: "BECAME")])
            for field in fields {
                let (text, look) = Self.sentence(field.outcome)
                table.add([.init(field.service.isEmpty ? "-" : field.service), .init(field.field), .init(text, look)])
            }
            // A next step that is cut off is of no use.
            session.output.line("")
            for line in table.rendered(width: nil, session.style).split(separator: "\n") {
                session.output.line(String(line))
            }
        }
        if isPlan {
            session.output.line("")
            let text = String(decoding: change.fresh.serialized(indent: "  "), as: UTF8.self)
            for line in text.split(separator: "\n") { session.output.line(DisplayWidth.printable(String(line))) }
        } else {
            session.note("pm start NAME starts one of them; pm start pm those with autostart")
        }
    }

    private static func sentence(_ outcome: MigratedField.Outcome) -> (String, Style.Look) {
        switch outcome {
        case .became(let keys): (keys, .plain)
        case .needless(let reason): ("not needed: \(reason)", .dim)
        case .noEquivalent(let advice): ("no equivalent: \(advice)", .bold)
        }
    }

    private var json: JSONValue {
        var answer: JSONObject = [
            "config": .string(target.location.configFile), "plan": .bool(isPlan),
            "services": .array(
                change.services.map { ["name": .string($0.name), "change": .string($0.kind.rawValue)] }),
            "files": .array(change.files.map { .string($0.path) }),
            "fields": .array(change.result.migration.fields.map(\.json)),
            "notes": .array(change.result.notes.map { .string($0) }),
        ]
        if isPlan { answer["configuration"] = change.fresh }
        return .object(answer)
    }
}

extension MigratedField {
    /// `{service, field}` with `became`, `needless` or `noEquivalent`.
    var json: JSONValue {
        var members: JSONObject = ["service": .string(service), "field": .string(field)]
        switch outcome {
        case .became(let keys): members["became"] = .string(keys)
        case .needless(let reason): members["needless"] = .string(reason)
        case .noEquivalent(let advice): members["noEquivalent"] = .string(advice)
        }
        return .object(members)
    }
}
