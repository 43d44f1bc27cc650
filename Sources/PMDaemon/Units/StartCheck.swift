import JSON
import PMAPI
import PMModel
import PMSupervisor
import PMSystem

/// Checks a start before the running process is stopped for it.
@PMActor
struct StartCheck {
    let supervisor: Supervisor

    /// Refuses a restart that cannot succeed.
    ///
    /// - Throws: a 502 with the reason and the next step.
    func refuseRestart(of unit: Unit, _ options: RunOptions) throws(APIError) {
        let problem: (words: String, hint: String)
        do throws(SpawnFailure) {
            try supervisor.checkStart(of: unit, options)
            let points = unit.mapping.connect.lazy.compactMap { Self.problem(of: $0, unit) }
            guard let found = commandListProblem(unit) ?? points.first else { return }
            problem = (found, "correct the file, then pm restart \(unit.name.shellWord)")
        } catch {
            problem = (error.sentence, error.hint(for: unit.name))
        }
        let isRunning = supervisor.report(of: unit.name)?.pid != nil
        throw .serviceFailed(
            "cannot restart \(unit.name): \(problem.words)" + (isRunning ? "; its running process is kept" : ""),
            hint: problem.hint)
    }

    /// Why a restart cannot succeed, in a sentence; nil when nothing is against it.
    func refusal(ofRestartOf unit: Unit, _ options: RunOptions) -> String? {
        do throws(APIError) {
            try refuseRestart(of: unit, options)
            return nil
        } catch {
            return error.message
        }
    }

    /// Why the list of commands cannot be used.
    private func commandListProblem(_ unit: Unit) -> String? {
        guard unit.definition.runtime != .docker, unit.program.hasSuffix(".json") else { return nil }
        do throws(APIError) {
            _ = try CommandListFile.read(unit.program)
            return nil
        } catch {
            return error.message
        }
    }

    /// Options of a connection point that are PEM text, or the path of a file with PEM text.
    private static let fileOptions = ["key", "cert", "ca", "crl"]
    /// Limit of such a file, in bytes.
    private static let longestFile = 1 << 20

    /// Why a connection point cannot be served: a key or a certificate is missing.
    private static func problem(of point: ConnectionPoint, _ unit: Unit) -> String? {
        // The reader of the configuration refuses options that are no JSON.
        guard let options = (try? JSONValue(parsing: Array(point.options.utf8)))?.object else { return nil }
        for option in fileOptions {
            guard let text = options[option]?.string, !PEM.isText(text) else { continue }
            let path = Paths.resolve(text, from: unit.directory)
            let place = "mapping.\(unit.name).connect, the \(option) of \(point.url)"
            do throws(SystemError) {
                let content = try Files.read(path, limit: longestFile)
                guard !content.containsPEM else { continue }
                return "\(place): \(path) has no PEM text"
            } catch {
                return "\(place): \(error)"
            }
        }
        return nil
    }
}

extension [UInt8] {
    /// True for text with a block of PEM (RFC 7468).
    fileprivate var containsPEM: Bool { String(decoding: self, as: UTF8.self).contains("-----BEGIN ") }
}
