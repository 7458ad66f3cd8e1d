# Compile with Debian's Sprockets 3: sprockets.rb SOURCE OUTPUT SCRATCH NAMES; NAMES is a JSON file, SCRATCH/sheets a load path.
require 'json'
require 'logger'
require 'sprockets'

source, output, scratch, names = ARGV
environment = Sprockets::Environment.new(source) do |env|
  env.append_path "#{scratch}/sheets"
  env.append_path source
  env.logger = Logger.new(File::NULL)
  env.cache = Sprockets::Cache::FileStore.new("#{scratch}/cache", 400 * 1024 * 1024)
end
Sprockets::Manifest.new(environment, output).compile(*JSON.parse(File.read(names)))
