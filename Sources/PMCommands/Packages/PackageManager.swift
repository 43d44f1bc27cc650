import PMAPI
import PMModel

/// The program that installs packages of a folder, and its words.
enum PackageManager: String, CaseIterable {
    case npm
    case pnpm
    case yarn

    /// The one that a folder uses: `packageManager` of its package.json, else the one whose lock file is there, else npm.
    ///
    /// - Throws: a 400 for one that pm does not know.
    static func used(by declared: String?, files: Set<String>) throws(APIError) -> PackageManager {
        if let declared {
            let name = declared.prefix { $0 != "@" }
            guard let manager = PackageManager(rawValue: String(name)) else {
                throw .badRequest(
                    "package.json names the package manager \(name), which pm does not know",
                    hint: "install with it, then pm discover node_modules/NAME")
            }
            return manager
        }
        if files.contains("pnpm-lock.yaml") { return .pnpm }
        return files.contains("yarn.lock") ? .yarn : .npm
    }

    /// Adds packages, or changes their versions.
    func install(_ packages: [PackageSpec]) -> [String] {
        let names = packages.map(\.text)
        switch self {
        case .npm: return ["install", "--"] + names
        case .pnpm, .yarn: return ["add"] + names
        }
    }

    /// Removes packages.
    func remove(_ names: [String]) -> [String] {
        switch self {
        case .npm: ["uninstall", "--"] + names
        case .pnpm, .yarn: ["remove"] + names
        }
    }

    /// Runs the install scripts of packages that are there; nil where it cannot do that alone.
    func rebuild(_ names: [String]) -> [String]? {
        switch self {
        case .npm: ["rebuild", "--ignore-scripts=false", "--foreground-scripts", "--"] + names
        case .pnpm: ["rebuild"] + names
        case .yarn: nil
        }
    }

    /// Writes as JSON which packages have newer versions; nil where there is no such form.
    var outdated: [String]? {
        switch self {
        case .npm: ["outdated", "--json"]
        case .pnpm: ["outdated", "--format", "json"]
        case .yarn: nil
        }
    }

    /// Variables with which none of the three runs an install script.
    static let withoutScripts = [
        "npm_config_ignore_scripts": "true", "YARN_IGNORE_SCRIPTS": "true", "YARN_ENABLE_SCRIPTS": "false",
    ]
}
