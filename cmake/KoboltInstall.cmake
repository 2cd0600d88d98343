install(TARGETS kobolt_static kobolt_shared EXPORT kobolt-targets)
install(DIRECTORY include/kobolt TYPE INCLUDE)
