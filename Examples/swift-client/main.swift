// Calls two services of Examples/shop. Start them first (README.md), then, in Examples/shop:
//
//     swift run --package-path ../.. swift-client Ada
import PMSidecar

/// What `users.get` answers.
struct User: Codable {
    let name: String
    let number: Int
}

let name = CommandLine.arguments.dropFirst().first ?? "Ada"
let sidecar = Sidecar()
do {
    let users = try await sidecar["users"]
    let user: User = try await users.dispatch("get", name)
    print("\(user.name) is customer \(user.number)")

    // Two seconds, and asked again if the answer is lost: greeting twice does no harm.
    let api = try await sidecar["api"].with(CallOptions(deadline: .seconds(2), isIdempotent: true))
    let greeting: String = try await api.dispatch("greet", user.name)
    print(greeting)
} catch let error as CallError {
    print("cannot greet \(name): \(error.message)")
    if let hint = error.hint { print("hint: \(hint)") }
}
