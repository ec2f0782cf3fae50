(function(){
var id=$ID,script=document.currentScript,el=script&&script.previousElementSibling;
if(!el||el.id!==id)el=document.getElementById(id);
if(!el)return;
var G=window.__gomosaic=window.__gomosaic||{charts:{}},option=$OPTION;
function go(){
 if(!window.echarts||!el.isConnected)return;
 var old=G.charts[id];
 try{
  // A live chart's new frame takes over the canvas of the one before: nothing blinks, zoom stays.
  if(old&&!old.isDisposed()&&!old.getDom().isConnected){el.replaceWith(old.getDom());old.setOption(option,{replaceMerge:['series']});old.resize();return}
  var picture=el.innerHTML;el.innerHTML='';
  try{var c=echarts.init(el,null,{renderer:'canvas'});c.setOption(option);c.getZr().flush();G.charts[id]=c;
   new ResizeObserver(function(){if(!c.isDisposed()&&el.isConnected)c.resize()}).observe(el)}
  catch(e){el.removeAttribute('_echarts_instance_');el.innerHTML=picture;throw e}
 }catch(e){console.warn('gomosaic: chart stays static:',e)}
}
if(window.echarts)return go();
if(!G.library)G.library=new Promise(function(loaded,none){
 var config=document.getElementById('jupyter-config-data');
 if(!config||!/^http/.test(location.protocol))return none();
 var base='/';try{base=JSON.parse(config.textContent).baseUrl||base}catch(e){}
 var s=document.createElement('script');s.src=base+'kernelspecs/'+encodeURIComponent($KERNEL)+'/echarts.min.js';
 s.onload=loaded;s.onerror=none;document.head.append(s)});
G.library.then(go,function(){});
})()
