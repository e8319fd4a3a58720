<?php
// Managed by ForgeLab: a proof of the demo, removed as soon as it has been read.
$given = json_decode(file_get_contents('php://input'), true);
$db = new PDO("pgsql:host={$given['host']};dbname={$given['database']}", $given['user'], $given['password'],
    [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$db->exec('CREATE TEMPORARY TABLE proof (word text)');
$db->prepare('INSERT INTO proof VALUES (?)')->execute([$given['word']]);
$redis = new Redis();
$redis->connect('127.0.0.1', 6379);
if ($given['redis_password'] !== '') {
    $redis->auth($given['redis_password']);
}
$redis->setEx('forgelab:proof', 10, $given['word']);
header('Content-Type: application/json');
echo json_encode([
    'php' => PHP_VERSION,
    'sapi' => PHP_SAPI,
    'postgresql' => $db->query('SELECT word FROM proof')->fetchColumn(),
    'postgresql_version' => $db->query('SHOW server_version')->fetchColumn(),
    'redis' => $redis->get('forgelab:proof'),
    'redis_version' => $redis->info()['redis_version'],
]);
