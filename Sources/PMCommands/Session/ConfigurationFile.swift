import JSON
import PMAPI
import PMClient
import PMConfig
import PMModel

/// The configuration file that a command reads and changes itself, whether a daemon runs or not.
struct ConfigurationFile {
    let store: ConfigStore
    let file: ConfigFile

    /// Reads the file that is meant.
    init(_ session: CommandContext) throws(APIError) {
        guard session.target.socket == nil else {
            throw .badRequest("this command reads the configuration's file, not a daemon", hint: "give --config FILE")
        }
        guard let location = try session.locator().location() else {
            throw .notFound("there is no \(DaemonLocation.configName) here or above", hint: "pm start pm makes one")
        }
        do throws(ConfigError) {
            store = try session.store(of: location)
            file = try store.load()
        } catch {
            throw APIError(error)
        }
    }

    /// The name of the service that is meant, `@scope/web` for `web`.
    func service(_ name: String) throws(APIError) -> String {
        let configuration = file.configuration
        if configuration.mapping(name) != nil { return name }
        if let full = configuration.fullName(name) { return full }
        throw .notFound(
            "there is no service \(name) in \(file.path)",
            hint: NearNames.hint(for: name, among: configuration.unitNames)
                ?? "pm map \(name.shellWord) PROGRAM adds one")
    }

    /// The keys that lead to a value of a service.
    func path(of key: String, service: String) throws(APIError) -> [String] {
        do throws(ConfigError) {
            return try ServiceKey.path(of: key, service: service, in: file.configuration)
        } catch {
            throw APIError(error)
        }
    }

    /// What the file says at these keys; nil when it says nothing.
    func value(at keys: [String]) -> JSONValue? { file.written(at: keys) }

    /// Makes a change, and refuses one with which the file would be wrong, or with which pm would warn of these keys.
    func edit(_ change: ConfigEdit, at keys: [String]) throws(APIError) {
        let place = keys.joined(separator: ".")
        do throws(ConfigError) {
            let changed = try store.applying([change], to: file.document.bytes)
            let odd = changed.warnings.first { $0.key == place || $0.key?.hasPrefix(place + ".") == true }
            if let odd { throw ConfigError(.invalid, [odd]) }
            try store.edit([change])
        } catch {
            throw APIError(error)
        }
    }
}
