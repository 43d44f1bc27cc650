// swift-tools-version: 6.2
import PackageDescription

// Layers (Docs/Architecture.md); an arrow points only to a lower layer, and ArchitectureTests holds them.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

// No table that the linker filled in can be written once a program runs: all is bound at the start (RELRO with BIND_NOW).
let bound = ["-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "relro", "-Xlinker", "-z", "-Xlinker", "now"]
// Relocations take a tenth of the room.
let packed = ["-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"]
let trimmed = ["-Xlinker", "--no-export-dynamic", "-Xlinker", "--gc-sections"]

// Calls of the C library that know the room of what they write to check it.
let plain: [CSetting] = [
    .enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error),
    .define("_FORTIFY_SOURCE", to: "2", .when(configuration: .release)),
]

func linked(_ flags: [String]) -> [LinkerSetting] { [.unsafeFlags(bound + flags, .when(configuration: .release))] }

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["PMTestSupport"], swiftSettings: strict)
}

// The programs of `make fuzz` have their main function in libFuzzer: they are only there when that asks for them.
let fuzzers: [Target] =
    Context.environment["PM_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "pm-fuzz", dependencies: ["PMFuzzTargets"], path: "Tests/fuzz/Driver", swiftSettings: strict)
    ]

let package = Package(
    name: "pm",
    products: [
        .executable(name: "pm", targets: ["pm"]),
        .executable(name: "pmd", targets: ["pmd"]),
        .executable(name: "pm-gateway", targets: ["pm-gateway"]),
        .executable(name: "pm-docker", targets: ["pm-docker"]),
        .executable(name: "pm-logs", targets: ["pm-logs"]),
        // For programs of others that call services.
        .library(name: "PMSidecar", targets: ["PMSidecar"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // 0 Linux
        .target(
            name: "CPMLinux", path: "CSources/CPMLinux",
            cSettings: plain),
        // OpenSSL of the system, so that its fixes come with the system's updates.
        .target(
            name: "COpenSSL", path: "CSources/COpenSSL",
            cSettings: plain,
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        // libsystemd of the system; only who reads the journal pays for loading it.
        .systemLibrary(
            name: "CSystemd", path: "CSources/CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        // 1 base
        module("PMModel"),
        module("JSON"),
        // 2 wire and kernel
        module("JSONRPC", ["JSON"]),
        module("PMSystem", ["CPMLinux", "PMModel"]),
        // 3 one concern
        module("PMAPI", ["PMModel", "PMSystem", "JSON", "JSONRPC"]),
        module("PMConfig", ["PMModel", "JSON", "PMSystem"]),
        module("PMDiscovery", ["PMModel", "JSON", "PMSystem"]),
        module("PMLogs", ["PMModel", "PMSystem"]),
        module("PMMigration", ["PMModel", "JSON"]),
        // 4 behave
        module("PMSupervisor", ["PMModel", "PMSystem", "PMLogs", "PMConfig"]),
        module("PMRouting", ["PMModel", "JSON", "JSONRPC", "PMSystem", "PMAPI"]),
        module("PMClient", ["PMModel", "JSON", "JSONRPC", "PMSystem", "PMAPI", "PMConfig"]),
        // 5 assemble
        module(
            "PMDaemon",
            [
                "PMModel", "JSON", "JSONRPC", "PMSystem", "PMAPI", "PMConfig", "PMDiscovery", "PMLogs",
                "PMSupervisor", "PMRouting",
            ]),
        module(
            "PMCommands",
            [
                "PMModel", "JSON", "JSONRPC", "PMSystem", "PMAPI", "PMConfig", "PMDiscovery", "PMLogs", "PMMigration",
                "PMClient",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        module(
            "PMGateway",
            [
                "COpenSSL", "PMModel", "JSON", "JSONRPC", "PMAPI", "PMSystem",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOWebSocket", package: "swift-nio"),
            ]),
        module(
            "PMDocker",
            [
                "PMModel", "JSON", "PMSystem", "PMConfig",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        module("PMJournal", ["CSystemd", "PMModel", "JSON", "PMSystem", "PMAPI", "PMLogs"]),
        module("PMSidecar", ["PMModel", "JSON", "JSONRPC", "PMSystem", "PMAPI", "PMConfig", "PMClient"]),
        // 6 entry
        // pm is one static file: it starts in 3 ms instead of 5. It is not position-independent: the toolchain links static
        // programs with a start that does not relocate them, and such a pm ends with SIGSEGV. lld: GNU gold warns of getpwnam, which pm never calls.
        .executableTarget(
            name: "pm", dependencies: ["PMCommands"], swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-static-executable", "-use-ld=lld"], .when(configuration: .release))]),
        // pmd takes the C library from the system, and nothing else: each further one costs memory and a start.
        .executableTarget(
            name: "pmd", dependencies: ["PMDaemon"], swiftSettings: strict,
            linkerSettings: linked(trimmed + packed)),
        .executableTarget(
            name: "pm-gateway", dependencies: ["PMGateway"], swiftSettings: strict, linkerSettings: linked(trimmed)),
        .executableTarget(
            name: "pm-docker", dependencies: ["PMDocker"], swiftSettings: strict, linkerSettings: linked(trimmed)),
        .executableTarget(
            name: "pm-logs", dependencies: ["PMJournal"], swiftSettings: strict, linkerSettings: linked(trimmed)),
        // examples
        .executableTarget(
            name: "swift-client", dependencies: ["PMSidecar"], path: "Examples/swift-client", exclude: ["README.md"],
            swiftSettings: strict),
        // tests
        .target(
            name: "PMTestSupport", dependencies: ["PMSystem", "JSON", "PMModel"], path: "Tests/PMTestSupport",
            swiftSettings: strict),
        .target(
            name: "PMRoutingSupport", dependencies: ["PMRouting", "PMAPI", "PMModel", "JSON", "JSONRPC", "PMSystem"],
            path: "Tests/PMRoutingSupport", swiftSettings: strict),
        .target(
            name: "PMFuzzTargets",
            dependencies: [
                "JSON", "JSONRPC", "PMModel", "PMSystem", "PMConfig", "PMDiscovery", "PMAPI", "PMLogs", "PMMigration",
                "PMGateway", .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Tests/fuzz/Targets", swiftSettings: strict),
        tests("FuzzTests", ["PMFuzzTargets", "PMSystem"]),
        tests("JSONTests", ["JSON", "PMSystem"]),
        tests("JSONRPCTests", ["JSONRPC", "JSON"]),
        tests("PMModelTests", ["PMModel"]),
        tests("PMSystemTests", ["PMSystem", "PMModel", "JSON"]),
        tests("PMConfigTests", ["PMConfig", "PMModel", "JSON"]),
        tests("PMDiscoveryTests", ["PMDiscovery", "PMModel", "JSON"]),
        tests("PMMigrationTests", ["PMMigration", "PMModel", "PMSystem", "JSON"]),
        tests("PMLogsTests", ["PMLogs", "PMModel", "PMSystem"]),
        tests("PMJournalTests", ["PMJournal", "PMAPI", "PMLogs", "PMModel", "PMSystem", "JSON"]),
        tests("PMAPITests", ["PMAPI", "JSON", "PMModel", "PMSystem"]),
        tests("PMSupervisorTests", ["PMSupervisor", "PMModel", "PMLogs", "PMSystem", "PMAPI"]),
        tests(
            "PMRoutingTests", ["PMRouting", "PMRoutingSupport", "PMAPI", "PMModel", "JSON", "JSONRPC", "PMSystem"]),
        tests("PMClientTests", ["PMClient"]),
        tests("PMSidecarTests", ["PMSidecar", "PMClient", "PMAPI", "PMModel", "JSON", "PMSystem"]),
        tests(
            "PMDaemonTests",
            [
                "PMDaemon", "PMLogs", "PMModel", "PMRouting", "PMRoutingSupport", "PMSupervisor", "PMSystem", "PMAPI",
                "JSON",
                "JSONRPC",
            ]),
        tests("PMCommandsTests", ["PMCommands"]),
        tests(
            "PMGatewayTests",
            [
                "PMGateway", "PMAPI", "PMModel", "JSON", "JSONRPC",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ]),
        tests(
            "PMDockerTests",
            [
                "PMDocker", "PMConfig", "PMModel", "PMSystem", "JSON", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        tests("CommandTests", ["JSON", "PMSystem"]),
        tests("ScenarioTests", ["JSON", "PMSystem"]),
        tests("ArchitectureTests", []),
    ] + fuzzers,
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu11
)
