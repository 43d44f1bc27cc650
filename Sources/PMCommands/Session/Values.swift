import ArgumentParser
import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// `--profile`, for commands that read the configuration themselves.
struct ProfileOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Lay this profile over the configuration; without it the one that PM_PROFILE names.", valueName: "name"),
        completion: .from(.profiles))
    var profile: String?
}

extension CommandContext {
    /// The profile of an option, else of `PM_PROFILE`; nil: none.
    func profile(_ option: String?) -> String? {
        let name = option ?? environment[ConfigValues.profileVariable] ?? ""
        return name.isEmpty ? nil : name
    }

    /// Values of a configuration for a command that runs or checks it.
    func values(_ option: String? = nil) -> ConfigValues {
        ConfigValues(variables: environment, profile: profile(option))
    }

    /// The configuration of a daemon, to be changed: by the profile that the daemon uses, and whatever variables this shell has.
    func store(of location: DaemonLocation) throws(ConfigError) -> ConfigStore {
        let profile = profile(nil) ?? profileOfDaemon(location)
        var store = try ConfigStore(
            path: location.configFile, values: .forEditing(variables: environment, profile: profile))
        store.keepPrevious(in: location.stateDirectory)
        return store
    }

    /// Time for a daemon to say which profile it uses.
    private static let profileTimeout = Duration.seconds(2)

    private func profileOfDaemon(_ location: DaemonLocation) -> String? {
        // A file that cannot be read is reported by who reads it next.
        guard let bytes = try? Files.read(location.configFile, limit: 16 << 20),
            String(decoding: bytes, as: UTF8.self).hasBytes(of: #""profiles""#)
        else { return nil }
        // Without a daemon no profile is in use.
        return try? locator().connect(to: location).ask(Version(), within: Self.profileTimeout).profile
    }
}
