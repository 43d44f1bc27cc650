import PMDocker

DockerProcess.main()
